import { setTimeout as sleep } from 'node:timers/promises'
import { context, Subscriber } from 'zeromq'
import { expectReply, openRequester, type Requester } from '../agentd/northbound/requester.ts'
import type { Scope } from '../src/model/scope.ts'
import { decodePublished } from '../src/wire/codec.ts'
import { HEARTBEAT_TOPIC, type Hello, type HelloReply, hostTopic, WIRE_VERSION } from '../src/wire/messages.ts'
import { SPEAKS } from '../src/wire/versions.ts'

// Many agents' ends of the wire in one process, for bench/fleet.ts.

export type AgentsQuestion = { readonly ask: 'storm' | 'reports' | 'heard' | 'restarted' }

export interface AgentsAnswer {
  /** Milliseconds until each agent had pulled everything. */
  readonly pulled: readonly number[]
  readonly slowestReportMs: number
  /** Hosts whose topic something came on. */
  readonly heard: readonly string[]
  /** Milliseconds from the moment each agent learned of the server's next life until that had answered its hello and told its target. */
  readonly again: readonly number[]
}

const REPORT_MS = 1000
/** Each socket that is watched has two more. */
const SOCKETS_PER_AGENT = 12
const [server = '', list = '[]'] = process.argv.slice(2)
const hosts = JSON.parse(list) as readonly string[]
context.maxSockets = hosts.length * SOCKETS_PER_AGENT + 16

const heard = new Set<string>()
const again: number[] = []
let slowest = 0

async function storm(): Promise<readonly number[]> {
  return await Promise.all(hosts.map(one))
}

/** Hello, then pulls until nothing is missing; from then on a report every second. Resolves to the milliseconds it took. */
async function one(host: string): Promise<number> {
  const rpc = openRequester(server, 60_000)
  const began = performance.now()
  const hello = await greet(rpc, host)
  const base = { v: hello.v, host } as const
  const target = expectReply(await rpc.request({ ...base, id: `${host} target`, type: 'pull' }), 'pull')
  let missing: readonly Scope[] = Object.keys(target.needs) as Scope[]
  for (let round = 0; missing.length > 0; round++) {
    const scopes = missing.map((scope) => ({ scope }))
    missing = expectReply(await rpc.request({ ...base, id: `${host} ${round}`, type: 'pull', scopes }), 'pull').more
  }
  const took = performance.now() - began
  rpc.close()
  listen(host, hello)
  void report(host, hello.endpoints.reports, hello.digest)
  return took
}

/** Hello until it is answered; a server that names a moment to come again gets its wish. */
async function greet(rpc: Requester, host: string): Promise<HelloReply> {
  const request: Hello = { v: SPEAKS.min, speaks: SPEAKS, host, id: `${host} hello`, type: 'hello', epoch: 'bench', version: 'bench' }
  for (let attempt = 1; ; attempt++) {
    const reply = await rpc.request(request)
    if (reply.type !== 'refused') return expectReply(reply, 'hello')
    const { retry_after_ms: told = Math.min(100 * 2 ** attempt, 3000) } = reply
    await sleep(told * (1 + Math.random() / 2))
  }
}

function listen(host: string, hello: HelloReply): void {
  const socket = new Subscriber({ linger: 0 })
  socket.connect(hello.endpoints.pub)
  socket.subscribe(hostTopic(host), HEARTBEAT_TOPIC)
  let epoch = hello.epoch
  const read = async (): Promise<void> => {
    for await (const frames of socket) {
      const decoded = decodePublished(frames)
      if (!decoded.ok) continue
      if (decoded.message.type !== 'heartbeat') heard.add(host)
      else if (decoded.message.header.epoch !== epoch) {
        epoch = decoded.message.header.epoch
        void comeBack(host, hello)
      }
    }
  }
  void read()
}

/** What an agent that lacks nothing does when the server was started again. */
async function comeBack(host: string, before: HelloReply): Promise<void> {
  const began = performance.now()
  await sleep((before.spread_ms ?? 0) * Math.random())
  const rpc = openRequester(server, 60_000)
  const hello = await greet(rpc, host)
  expectReply(await rpc.request({ v: hello.v, host, id: `${host} target`, type: 'pull' }), 'pull')
  again.push(performance.now() - began)
  rpc.close()
}

async function report(host: string, endpoint: string, digest: string): Promise<void> {
  const reports = openRequester(endpoint, 60_000)
  for (let n = 0; ; n++) {
    const began = performance.now()
    const body = { revision: 1, digest, converged: true, full: n === 0, objects: [], gone: [] }
    await reports
      .request({ v: WIRE_VERSION, id: `${host} report ${n}`, host, type: 'report', epoch: 'bench', ...body })
      .catch(() => undefined)
    slowest = Math.max(slowest, performance.now() - began)
    await sleep(REPORT_MS)
  }
}

process.on('message', (question: AgentsQuestion) => {
  const answer = async (): Promise<AgentsAnswer> => {
    const pulled = question.ask === 'storm' ? await storm() : []
    // Everybody reports and listens for a few rounds before it is judged.
    if (question.ask === 'reports') await sleep(3 * REPORT_MS)
    while (question.ask === 'restarted' && again.length < hosts.length) await sleep(20)
    return { pulled, slowestReportMs: slowest, heard: [...heard], again }
  }
  void answer().then((a) => process.send?.(a))
})
process.once('disconnect', () => process.exit(0))
