import { context, Subscriber } from 'zeromq'
import { expectReply, openRequester } from '../agentd/northbound/requester.ts'
import type { Scope } from '../src/model/scope.ts'
import { hostTopic, WIRE_VERSION } from '../src/wire/messages.ts'

// Many agents' ends of the wire in one process, for bench/fleet.ts.

export type AgentsQuestion = { readonly ask: 'storm' | 'reports' | 'heard' }

export interface AgentsAnswer {
  /** Milliseconds until each agent had pulled everything. */
  readonly pulled: readonly number[]
  readonly slowestReportMs: number
  /** Hosts whose topic something came on. */
  readonly heard: readonly string[]
}

const REPORT_MS = 1000
const SOCKETS_PER_AGENT = 4
const [server = '', list = '[]'] = process.argv.slice(2)
const hosts = JSON.parse(list) as readonly string[]
context.maxSockets = hosts.length * SOCKETS_PER_AGENT + 16

const heard = new Set<string>()
let slowest = 0

async function storm(): Promise<readonly number[]> {
  return await Promise.all(hosts.map(one))
}

/** Hello, then pulls until nothing is missing; from then on a report every second. Resolves to the milliseconds it took. */
async function one(host: string): Promise<number> {
  const rpc = openRequester(server, 60_000)
  const began = performance.now()
  const base = { v: WIRE_VERSION, host } as const
  const hello = expectReply(await rpc.request({ ...base, id: `${host} hello`, type: 'hello', epoch: 'bench', version: 'bench' }), 'hello')
  const target = expectReply(await rpc.request({ ...base, id: `${host} target`, type: 'pull' }), 'pull')
  let missing: readonly Scope[] = Object.keys(target.needs) as Scope[]
  for (let round = 0; missing.length > 0; round++) {
    const scopes = missing.map((scope) => ({ scope }))
    missing = expectReply(await rpc.request({ ...base, id: `${host} ${round}`, type: 'pull', scopes }), 'pull').more
  }
  const took = performance.now() - began
  rpc.close()
  listen(host, hello.endpoints.pub)
  void report(host, hello.endpoints.reports, hello.digest)
  return took
}

function listen(host: string, pub: string): void {
  const socket = new Subscriber({ linger: 0 })
  socket.connect(pub)
  socket.subscribe(hostTopic(host))
  const read = async (): Promise<void> => {
    for await (const _ of socket) heard.add(host)
  }
  void read()
}

async function report(host: string, endpoint: string, digest: string): Promise<void> {
  const reports = openRequester(endpoint, 60_000)
  for (let n = 0; ; n++) {
    const began = performance.now()
    const body = { revision: 1, digest, converged: true, full: n === 0, objects: [], gone: [] }
    await reports.request({ v: WIRE_VERSION, id: `${host} report ${n}`, host, type: 'report', epoch: 'bench', ...body })
    slowest = Math.max(slowest, performance.now() - began)
    await new Promise((resolve) => setTimeout(resolve, REPORT_MS))
  }
}

process.on('message', (question: AgentsQuestion) => {
  const answer = async (): Promise<AgentsAnswer> => {
    const pulled = question.ask === 'storm' ? await storm() : []
    // Everybody reports and listens for a few rounds before it is judged.
    if (question.ask === 'reports') await new Promise((resolve) => setTimeout(resolve, 3 * REPORT_MS))
    return { pulled, slowestReportMs: slowest, heard: [...heard] }
  }
  void answer().then((a) => process.send?.(a))
})
process.once('disconnect', () => process.exit(0))
