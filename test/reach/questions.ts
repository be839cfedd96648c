import { BROADCAST, type Connection, type Frame, familyOf, type IpBody } from './frame.ts'
import { linkLocal } from './model.ts'
import type { Written, WrittenPort } from './written.ts'

/** A frame that a port of the world sends. */
export interface Question {
  readonly from: string
  readonly frame: Frame
}

type Kind = Omit<IpBody, 'is' | 'from' | 'to'>

/** A port that a program takes for itself. */
const EPHEMERAL = 40_000
const ZERO = '00:00:00:00:00:00'
const STRANGER = '02:00:00:00:00:77'

/** Everything that a world is asked: each bound port speaks to each other one, honestly and not, in every way that some rule tells from others. */
export function questionsOf(written: Written): readonly Question[] {
  const senders = Object.entries(written.ports).filter(([, p]) => p.host !== undefined)
  return senders.flatMap(([name, port]) => {
    const others = Object.entries(written.ports).filter(([other]) => other !== name)
    return [...others.flatMap(([, other]) => pairFrames(written, port, other)), ...loudFrames(port, others)].map((frame) => ({
      from: name,
      frame,
    }))
  })
}

function pairFrames(written: Written, from: WrittenPort, to: WrittenPort): readonly Frame[] {
  // Between networks one frame of each family says as much as all.
  const near = from.network === to.network
  return ([4, 6] as const).flatMap((family) => {
    const [src, dst] = [addressOf(from, family), addressOf(to, family)]
    if (src === undefined || dst === undefined) return []
    const frame = (kind: Kind, connection: Connection = 'new'): Frame => ({
      src: from.mac_address,
      dst: to.mac_address,
      connection,
      body: { is: 'ip', from: src, to: dst, ...kind },
    })
    const [first = TCP, ...more] = kindsOf(written, family)
    if (!near) return [frame(first)]
    const kinds = [first, ...more]
    return [
      ...kinds.map((kind) => frame(kind)),
      ...kinds.map((kind) => frame(turned(kind), 'answer')),
      ...kinds.filter((_, i) => i % 3 === 0).map((kind) => frame(kind, 'known')),
      frame(first, 'related'),
      frame(first, 'invalid'),
      ...forged(frame(first), from, to),
      ...neighbourly(frame(first), from, family === 4 ? dst : undefined),
    ]
  })
}

function addressOf(port: WrittenPort, family: 4 | 6): string | undefined {
  return port.fixed_ips.map((f) => f.ip_address).find((ip) => familyOf(ip) === family)
}

const TCP: Kind = { protocol: 6, sport: EPHEMERAL, dport: 7001 }

/** What rules of this world tell from each other: the ports at the edges of their ranges, ICMP by type and code, another protocol. */
function kindsOf({ security_groups }: Written, family: 4 | 6): readonly Kind[] {
  const rules = Object.values(security_groups).flatMap((g) => g.rules ?? [])
  const ranged = rules.filter((r) => r.port_range_max !== undefined && PORTED[String(r.protocol)] !== undefined)
  const probes = ranged.flatMap(({ protocol, port_range_min: min = 0, port_range_max: max = 0 }) =>
    [min - 1, min, max, max + 1].filter((p) => p > 0 && p <= 65_535).map((dport) => ({ protocol: PORTED[String(protocol)] ?? 0, dport })),
  )
  const distinct = [...new Map(probes.map((p) => [`${p.protocol} ${p.dport}`, p])).values()]
  // Evenly among all, that none is always left out.
  const step = Math.max(1, Math.ceil(distinct.length / MOST_PORTS))
  const chosen = distinct.filter((_, i) => i % step === 0).map((p): Kind => ({ ...p, sport: EPHEMERAL }))
  const icmp =
    family === 4
      ? [
          [8, 0],
          [8, 1],
          [0, 0],
          [3, 4],
        ]
      : [
          [128, 0],
          [128, 1],
          [129, 0],
          [1, 4],
          [143, 0],
          [134, 0],
        ]
  return [
    TCP,
    { protocol: 17, sport: EPHEMERAL, dport: 7001 },
    ...icmp.map(([type = 0, code = 0]): Kind => ({ protocol: family === 4 ? 1 : 58, icmp: { type, code } })),
    { protocol: 47 },
    ...chosen,
  ]
}

const PORTED: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 }
const MOST_PORTS = 9

/** The answer to it, from the side that is asked. */
function turned(kind: Kind): Kind {
  if (kind.dport !== undefined) return { ...kind, sport: kind.dport, dport: kind.sport ?? 0 }
  const echo = new Map([
    [8, 0],
    [128, 129],
  ])
  const type = kind.icmp === undefined ? undefined : echo.get(kind.icmp.type)
  return type === undefined ? kind : { ...kind, icmp: { type, code: 0 } }
}

/** The same frame from where it does not, or may not, come: addresses of others, of pairs, of nobody; and what only servers and routers say. */
function forged(honest: Frame, from: WrittenPort, to: WrittenPort): readonly Frame[] {
  const { body } = honest
  if (body.is !== 'ip') return []
  const six = familyOf(body.from) === 6
  const as = (address: string, src = honest.src): Frame => ({ ...honest, src, body: { ...body, from: address } })
  const pair = six ? ['fd00::83', 'fd00::84', 'fd00::87', 'fd00::88'] : ['10.0.0.129', '10.0.0.130', '10.0.0.131', '10.0.0.132']
  const shared = six ? 'fd00::90' : '10.0.0.140'
  const macs = [SHARED, STRANGER, to.mac_address]
  const udp = (sport: number, dport: number): Frame => ({ ...honest, body: { ...body, protocol: 17, sport, dport } })
  const dhcp = six ? [udp(547, 546), udp(546, 547)] : [udp(67, 68), udp(68, 67)]
  return [
    as(body.to),
    ...pair.map((a) => as(a)),
    as(shared),
    as(shared, SHARED),
    ...macs.map((mac) => as(body.from, mac)),
    ...(six ? [linkLocal(honest.src), linkLocal(STRANGER)].map((a) => as(a)) : []),
    ...dhcp,
    { ...honest, vlan: 101 },
    { ...honest, dst: STRANGER },
    { ...honest, dst: SHARED },
    { ...honest, body: { is: 'other', ethertype: 0x88cc } },
    ...(from.port_security_enabled === false ? [] : [as(six ? 'fd00::ff' : '10.0.0.99', SHARED)]),
  ]
}

const SHARED = '02:00:00:00:00:ee'

/** ARP and neighbour discovery from one to the other, with true and with stolen addresses. */
function neighbourly({ src, dst, connection, body }: Frame, from: WrittenPort, v4: string | undefined): readonly Frame[] {
  if (body.is !== 'ip') return []
  if (v4 !== undefined) {
    const reply = (spa: string, sha = src): Frame => ({ src, dst, connection, body: { is: 'arp', op: 2, sha, spa, tha: dst, tpa: v4 } })
    return [reply(body.from), reply(v4), reply(body.from, STRANGER), reply('10.0.0.130'), reply('10.0.0.140')]
  }
  const nd = (type: 135 | 136, target: string, lladdr = src, as = body.from): Frame => ({
    src,
    dst,
    connection,
    body: { ...bare(body), protocol: 58, from: as, icmp: { type, code: 0 }, nd: { target, lladdr } },
  })
  return [
    nd(136, body.from),
    nd(136, body.to),
    nd(136, body.from, STRANGER),
    nd(136, body.from, src, body.to),
    nd(136, linkLocal(from.mac_address), src, linkLocal(from.mac_address)),
    nd(135, body.to),
    nd(135, body.to, STRANGER),
    nd(135, body.to, src, body.to),
  ]
}

function bare({ is, from, to }: IpBody): Pick<IpBody, 'is' | 'from' | 'to'> {
  return { is, from, to }
}

/** To everybody. */
function loudFrames(from: WrittenPort, others: readonly (readonly [string, WrittenPort])[]): readonly Frame[] {
  const ip = addressOf(from, 4)
  if (ip === undefined) return []
  const base = { src: from.mac_address, dst: BROADCAST, connection: 'new' } as const
  const ask = (tpa: string, spa = ip): Frame => ({ ...base, body: { is: 'arp', op: 1, sha: base.src, spa, tha: ZERO, tpa } })
  const told = others.flatMap(([, p]) => (p.network === from.network ? (addressOf(p, 4) ?? []) : []))
  return [
    { ...base, body: { is: 'ip', from: ip, to: '255.255.255.255', protocol: 17, sport: EPHEMERAL, dport: 7001 } },
    { ...base, body: { is: 'ip', from: '10.0.0.99', to: '255.255.255.255', protocol: 17, sport: EPHEMERAL, dport: 7001 } },
    ...told.map((tpa) => ask(tpa)),
    ask('10.0.0.200'),
    ask('10.0.0.200', '10.0.0.99'),
    ask('10.0.0.200', '0.0.0.0'),
  ]
}
