import type { Departure } from '../../agentd/backends/fake/frame.ts'
import { makeKey } from '../../src/model/key.ts'
import { departuresOf } from '../agentd/backends/conformance/trace.ts'
import { type Connection, type Frame, frameText } from './frame.ts'
import type { Question } from './questions.ts'
import type { HostName, Loaded, LoadedHost } from './switches.ts'
import { HOSTS } from './written.ts'

/** What Open vSwitch does with a frame, followed through both hosts. Names of ports, sorted. */
export interface Actual {
  /** The sender among them: the switch answered. */
  readonly receivers: readonly string[]
  /** As `Expected.noted`. */
  readonly noted: readonly string[]
  /** All traces, for people. */
  readonly text: string
}

/** Where a frame comes into a host, in the words of `ofproto/trace`. */
interface Hop {
  readonly host: HostName
  readonly bridge: string
  readonly flow: string
}

/** Asks the switches themselves, number `turn` of many. */
export async function ask(loaded: Loaded, { from, frame }: Question, turn: number): Promise<Actual> {
  const receivers: string[] = []
  const noted: string[] = []
  const texts: string[] = []
  const queue: Hop[] = [entrance(loaded, from, frame)]
  for (let hop = queue.shift(); hop !== undefined; hop = queue.shift()) {
    const at = hostOf(loaded, hop.host)
    const socket = at.host.sockets[turn % at.host.sockets.length] ?? at.host.real.appctl
    const text = await socket.call('ofproto/trace', '--names', ...foundBy(frame.connection), hop.bridge, hop.flow)
    texts.push(`${hop.host}: ${hop.bridge} ${hop.flow}\n${text}`)
    noted.push(...notedIn(text, at))
    for (const way of departuresOf(text, devicesOf(at), undefined)) {
      if (way.by === 'port') receivers.push(way.port.split('/').at(-1) ?? way.port)
      else queue.push(...arrivals(hop.host, way, frame))
    }
    if (texts.length > MOST_HOPS) throw new Error(`the frame goes round in circles:\n${texts.join('\n')}`)
  }
  return { receivers: receivers.sort(), noted: noted.sort(), text: texts.join('\n') }
}

const MOST_HOPS = 8

function hostOf(loaded: Loaded, name: HostName): LoadedHost {
  const found = loaded.hosts.get(name)
  if (found === undefined) throw new Error(`no host ${name}`)
  return found
}

function entrance(loaded: Loaded, from: string, frame: Frame): Hop {
  for (const [host, { guests }] of loaded.hosts) {
    const device = [...guests].find(([, port]) => port === from)?.[0]
    if (device !== undefined) return { host, bridge: 'br-int', flow: `in_port=${device},${frameText(frame)}` }
  }
  throw new Error(`${from} is on no host`)
}

/** More look-ups than any frame meets. */
const MOST_LOOKUPS = 12
const STATES: Readonly<Record<Connection, string>> = {
  new: 'trk,new',
  known: 'trk,est',
  answer: 'trk,est,rpl',
  related: 'trk,rel',
  invalid: 'trk,inv',
}

function foundBy(connection: Connection): readonly string[] {
  return Array.from({ length: MOST_LOOKUPS }, () => ['--ct-next', STATES[connection]]).flat()
}

/** `ct(commit,zone=7)` keeps a connection, and its mark says who began and whether it is refused. A zone that is nobody's here is told as such. */
function notedIn(trace: string, { zones }: LoadedHost): readonly string[] {
  const lines = [...trace.matchAll(/^Datapath actions: (.*)$/gm)].map(([, line = '']) => line)
  return lines.flatMap((line) =>
    [...line.matchAll(/\bct\(([^()]*)\)/g)].map(([, inner = '']) => {
      const zone = Number(/zone=(\d+)/.exec(inner)?.[1] ?? 0)
      const port = zones.get(zone) ?? `nobody’s zone ${zone}`
      if (!/\bcommit\b/.test(inner)) return `look ${port}`
      const mark = Number(/mark=(0x[0-9a-f]+)/.exec(inner)?.[1] ?? 0)
      return `${(mark & 1) === 0 ? 'keep' : 'refuse'} ${port} ${BEGUN.get(mark & 6) ?? 'by nobody'}`
    }),
  )
}

const BEGUN: ReadonlyMap<number, string> = new Map([
  [2, 'egress'],
  [4, 'ingress'],
])

/** Every device that a host has, also those that are no port's in this world. */
function devicesOf({ host, guests }: LoadedHost): Parameters<typeof departuresOf>[1] {
  const ways = Object.keys(host.facts.interfaces).flatMap((device): [string, Departure][] => {
    const port = guests.get(device) ?? `nobody’s ${device}`
    return device.startsWith('vm-') ? [[device, { by: 'port', port: makeKey('port', 'default', port) }]] : []
  })
  return {
    guests: new Map(ways),
    tagged: new Map(),
    nics: new Map([
      ['nic-ex', 'br-ex'],
      ['nic-two', 'br-provider-two'],
    ]),
  }
}

/** Where a frame that leaves a host comes in: at the end of its tunnel, or at the NICs of all others on the physical network. */
function arrivals(from: HostName, way: Exclude<Departure, { by: 'port' }>, frame: Frame): readonly Hop[] {
  const others = (['h1', 'h2'] as const).filter((host) => host !== from)
  if (way.by === 'provider') {
    const untagged = { src: frame.src, dst: frame.dst, connection: frame.connection, body: frame.body }
    const text = frameText(way.vlan === undefined ? untagged : { ...untagged, vlan: way.vlan })
    const bridges = way.bridge === 'br-ex' ? others : []
    return bridges.map((host) => ({ host, bridge: 'br-ex', flow: `in_port=nic-ex,${text}` }))
  }
  const ends = others.filter((host) => HOSTS[host]?.tunnel_ip === way.to)
  const outer = `tun_id=${way.key},tun_src=${HOSTS[from]?.tunnel_ip},tun_dst=${way.to}`
  return ends.map((host) => ({ host, bridge: 'br-int', flow: `in_port=nl-${way.type},${outer},${frameText(frame)}` }))
}
