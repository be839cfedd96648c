import { createInterface } from 'node:readline'
import { Memberships } from './multicast.ts'
import { ping } from './ping.ts'
import { type AnswerLine, type AskLine, type GuestAnswers, type GuestAsk, PROBE_PORT } from './protocol.ts'
import { retransmitted, serveTcp, TcpStream, tcpExchange } from './tcp.ts'
import { type Arrivals, countFlow, serveUdp, UdpFlow, udpExchange } from './udp.ts'

/**
 * The program inside a guest: serves on the probe port and does what its standard input asks, many things at once. It ends with its
 * standard input, so it never outlives the process that started it.
 */
const arrivals: Arrivals = new Map()
const memberships = new Memberships()
const flows = new Map<number, UdpFlow>()
const streams = new Map<number, TcpStream>()

async function answer(ask: GuestAsk): Promise<GuestAnswers[keyof GuestAnswers]> {
  switch (ask.op) {
    case 'hello':
      return { pid: process.pid }
    case 'ping':
      return await ping(ask)
    case 'tcp':
      return await tcpExchange(ask.address, ask.port ?? PROBE_PORT, ask.bytes, ask.timeout_ms)
    case 'udp':
      return await udpExchange(ask.address, ask.port ?? PROBE_PORT, ask.bytes, ask.timeout_ms)
    case 'listen':
      await serve(ask.port)
      return null
    case 'join':
      await memberships.join(ask.group, ask.from)
      return null
    case 'leave':
      memberships.leave(ask.group)
      return null
    case 'flow-send':
      flows.set(ask.flow, new UdpFlow(ask))
      return null
    case 'flow-end':
      return take(flows, ask.flow).end()
    case 'flow-count':
      return countFlow(arrivals, ask.flow, ask.ended)
    case 'stream-start':
      streams.set(ask.stream, await TcpStream.open(ask.address, ask.bytes_per_s))
      return null
    case 'stream-end':
      return await take(streams, ask.stream).end(ask.timeout_ms)
    case 'retransmitted':
      return retransmitted()
  }
}

async function serve(port: number): Promise<void> {
  await serveTcp(port)
  await serveUdp(port, arrivals)
}

function take<T>(map: Map<number, T>, id: number): T {
  const value = map.get(id)
  if (value === undefined) throw new Error(`nothing runs under number ${id}`)
  map.delete(id)
  return value
}

function say(line: AnswerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

await serve(PROBE_PORT)
const lines = createInterface({ input: process.stdin })
lines.on('line', (text) => {
  // The other end of the pipe is guests.ts of the same build.
  const { id, ask } = JSON.parse(text) as AskLine
  answer(ask).then(
    (value) => say({ id, answer: value }),
    (error: unknown) => say({ id, error: error instanceof Error ? error.message : String(error) }),
  )
})
lines.on('close', () => process.exit(0))
