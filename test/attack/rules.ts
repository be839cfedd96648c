import { isIPv6 } from 'node:net'
import type { Layer2, Layer3 } from '../../src/lab/frame-build.ts'
import type { Attack, Cast, Forge } from './attack.ts'
import { ALLOWED, FORBIDDEN } from './field.ts'
import {
  cut,
  extension,
  FLAGS,
  framed,
  icmpError,
  icmpMessage,
  type Ports,
  PROTOCOL,
  packet,
  sourceRouted,
  tcpSegment,
  udpSegment,
} from './forge.ts'

/** What an honest sender may not say, because no rule speaks of it. */

const l2 = (c: Cast): Layer2 => ({ src: c.me.mac, dst: c.to.mac })
const own4 = (c: Cast): Layer3 => ({ src: c.me.v4, dst: c.to.v4 })
const own6 = (c: Cast): Layer3 => ({ src: c.me.v6, dst: c.to.v6 })
const BOTH = [
  ['IPv4', own4],
  ['IPv6', own6],
] as const

export const SETS: Readonly<Record<string, number>> = {
  SYN: FLAGS.syn,
  ACK: FLAGS.ack,
  'PSH and ACK': FLAGS.psh | FLAGS.ack,
  FIN: FLAGS.fin,
  'FIN and ACK': FLAGS.fin | FLAGS.ack,
  RST: FLAGS.rst,
  'RST and ACK': FLAGS.rst | FLAGS.ack,
  'SYN and ACK': FLAGS.syn | FLAGS.ack,
  'SYN and FIN': FLAGS.syn | FLAGS.fin,
  'SYN and RST': FLAGS.syn | FLAGS.rst,
  'no flag': 0,
  'FIN, PSH and URG': FLAGS.fin | FLAGS.psh | FLAGS.urg,
  'all flags': 0x3f,
}

export function tcp(flags: number, port: number, l3: (c: Cast) => Layer3 = own4): Forge {
  return (c) => [framed(l2(c), l3(c), PROTOCOL.tcp, { body: tcpSegment(l3(c), { src: c.sport, dst: port }, flags, c.mark) })]
}

/** What conntrack (Open vSwitch 3.1, userspace) takes for the beginning or the middle of a connection although it never saw one begin. The others are invalid. */
export const TAKEN_FOR_A_CONNECTION: readonly string[] = ['SYN', 'ACK', 'PSH and ACK', 'FIN and ACK', 'RST', 'RST and ACK']

const FLAGGED: readonly Attack[] = BOTH.flatMap(([ip, l3]) =>
  Object.entries(SETS).map(([name, flags]) => ({ name: `TCP with ${name} over ${ip}`, forge: tcp(flags, FORBIDDEN, l3) })),
)

function datagram(c: Cast, l3: Layer3, port: number, size: number): Buffer {
  return udpSegment(l3, { src: c.sport, dst: port }, Buffer.alloc(size, c.mark))
}

/** A datagram in two fragments, of which each carries the mark. */
function pieces(port: number, l3: (c: Cast) => Layer3): Forge {
  return (c) => cut(l2(c), l3(c), PROTOCOL.udp, datagram(c, l3(c), port, 1480), [1304])
}

/** Fragments by hand: from where, whether more follow, and what. */
function parts(c: Cast, l3: Layer3, protocol: number, list: readonly (readonly [number, boolean, Buffer])[]): Buffer[] {
  const id = c.sport
  return list.map(([offset, more, body]) => framed(l2(c), l3, protocol, { body, fragment: { id, offset, more } }))
}

const LARGE = 1304

export const FRAGMENTS: readonly Attack[] = BOTH.flatMap(([ip, l3]) => [
  { name: `a datagram in fragments over ${ip}`, forge: pieces(FORBIDDEN, l3) },
  { name: `only the later part of a datagram over ${ip}`, forge: (c: Cast) => pieces(FORBIDDEN, l3)(c).slice(1) },
  { name: `only the first part of a datagram over ${ip}`, forge: (c: Cast) => pieces(FORBIDDEN, l3)(c).slice(0, 1) },
  {
    name: `an allowed first part, then another first part over ${ip}`,
    forge: (c: Cast) => {
      // The mark is in the forbidden one alone: the other two parts are a datagram that a rule allows.
      const [good, bad] = [datagram(c, l3(c), ALLOWED.udp, 1480), datagram(c, l3(c), FORBIDDEN, 1480)]
      return parts(c, l3(c), PROTOCOL.udp, [
        [0, true, Buffer.alloc(LARGE, good.subarray(0, 8)).fill(0, 8)],
        [0, true, bad.subarray(0, LARGE)],
        [LARGE, false, Buffer.alloc(184)],
      ])
    },
  },
  {
    name: `an allowed first part, then a part over its ports that claims to be later, over ${ip}`,
    forge: (c: Cast) => {
      const whole = datagram(c, l3(c), ALLOWED.udp, 1480)
      return parts(c, l3(c), PROTOCOL.udp, [
        [0, true, whole.subarray(0, LARGE)],
        [8, false, datagram(c, l3(c), FORBIDDEN, 1392).subarray(0, 1400)],
      ])
    },
  },
  {
    name: `parts that overlap over ${ip}`,
    forge: (c: Cast) => {
      const whole = datagram(c, l3(c), ALLOWED.udp, 1480)
      return parts(c, l3(c), PROTOCOL.udp, [
        [0, true, whole.subarray(0, LARGE)],
        [LARGE - 80, false, whole.subarray(LARGE - 80)],
      ])
    },
  },
  {
    name: `a TCP header in parts of 8 bytes over ${ip}`,
    forge: (c: Cast) => {
      const whole = tcpSegment(l3(c), { src: c.sport, dst: ALLOWED.tcp }, FLAGS.syn, Buffer.alloc(40, c.mark))
      return parts(c, l3(c), PROTOCOL.tcp, [
        [0, true, whole.subarray(0, 8)],
        [8, true, whole.subarray(8, 16)],
        [16, false, whole.subarray(16)],
      ])
    },
  },
  {
    name: `another protocol in fragments over ${ip}`,
    forge: (c: Cast) => cut(l2(c), l3(c), PROTOCOL.gre, Buffer.alloc(1400, c.mark), [LARGE]),
  },
  {
    name: `ping in fragments over ${ip}`,
    forge: (c: Cast) => {
      const six = isIPv6(l3(c).src)
      const body = icmpMessage(l3(c), six ? 128 : 8, 0, Buffer.concat([Buffer.alloc(4, 7), Buffer.alloc(1480, c.mark)]))
      return cut(l2(c), l3(c), six ? PROTOCOL.icmpv6 : PROTOCOL.icmp, body, [LARGE])
    },
  },
])

const PROTOCOLS: readonly Attack[] = [
  ...(
    [
      ['IPv4 in IPv4', PROTOCOL.ipip],
      ['IPv6 in IPv4', 41],
    ] as const
  ).map(([name, protocol]) => ({
    name,
    forge: (c: Cast) => {
      const [inner, body] = protocol === 41 ? [own6(c), 6] : [own4(c), 4]
      const inside = packet(inner, PROTOCOL.udp, { body: udpSegment(inner, { src: body, dst: ALLOWED.udp }, c.mark) })
      return [framed(l2(c), own4(c), protocol, { body: inside })]
    },
  })),
  ...(
    [
      ['GRE', PROTOCOL.gre],
      ['ESP', PROTOCOL.esp],
      ['SCTP', PROTOCOL.sctp],
      ['OSPF', 89],
      ['VRRP', 112],
      ['protocol 255', 255],
      ['protocol 0', 0],
    ] as const
  ).map(([name, protocol]) => ({
    name,
    forge: (c: Cast) => [framed(l2(c), own4(c), protocol, { body: Buffer.concat([Buffer.alloc(32), c.mark]) })],
  })),
  ...(
    [
      ['GRE', PROTOCOL.gre],
      ['ESP', PROTOCOL.esp],
      ['IPv6 in IPv6', 41],
      ['no next header', 59],
    ] as const
  ).map(([name, protocol]) => ({
    name: `${name} over IPv6`,
    forge: (c: Cast) => [framed(l2(c), own6(c), protocol, { body: Buffer.concat([Buffer.alloc(40), c.mark]) })],
  })),
  ...BOTH.map(([ip, l3]) => ({
    name: `UDP over ${ip}`,
    forge: (c: Cast) => [framed(l2(c), l3(c), PROTOCOL.udp, { body: datagram(c, l3(c), FORBIDDEN, 80) })],
  })),
  {
    name: 'UDP with a source route',
    forge: (c: Cast) => {
      const frame = framed(l2(c), own4(c), PROTOCOL.udp, { body: datagram(c, own4(c), FORBIDDEN, 80) })
      return [sourceRouted(frame, c.other.v4)]
    },
  },
  { name: 'a SYN with a source route', forge: (c: Cast) => tcp(FLAGS.syn, FORBIDDEN)(c).map((frame) => sourceRouted(frame, c.other.v4)) },
  {
    name: 'ping',
    forge: (c: Cast) => [
      framed(l2(c), own4(c), PROTOCOL.icmp, { body: icmpMessage(own4(c), 8, 0, Buffer.concat([Buffer.alloc(4, 7), c.mark])) }),
    ],
  },
]

/** Behind headers, one after the other. */
function behind(
  kinds: readonly ('hopByHop' | 'destination' | 'routing' | 'fragment')[],
  next: number,
  body: Buffer,
): { readonly first: number; readonly body: Buffer } {
  return [...kinds].reverse().reduce(
    ({ first, body: rest }, kind) => ({
      first: PROTOCOL[kind],
      body: Buffer.concat([kind === 'fragment' ? Buffer.from([first, 0, 0, 0, 0, 0, 0, 9]) : extension(kind, first), rest]),
    }),
    { first: next, body },
  )
}

const CHAINS = [
  ['hopByHop'],
  ['destination'],
  ['routing'],
  ['fragment'],
  ['hopByHop', 'destination', 'routing', 'fragment', 'destination'],
  ['destination', 'destination', 'destination', 'destination'],
] as const

function chained(kinds: (typeof CHAINS)[number], protocol: number, segment: (c: Cast) => Buffer): Forge {
  return (c) => {
    const { first, body } = behind(kinds, protocol, segment(c))
    return [framed(l2(c), own6(c), first, { body })]
  }
}

const HEADERS: readonly Attack[] = CHAINS.flatMap((kinds) => [
  { name: `UDP behind ${kinds.join(', ')}`, forge: chained(kinds, PROTOCOL.udp, (c) => datagram(c, own6(c), FORBIDDEN, 80)) },
  {
    name: `a SYN behind ${kinds.join(', ')}`,
    forge: chained(kinds, PROTOCOL.tcp, (c) => tcpSegment(own6(c), { src: c.sport, dst: FORBIDDEN }, FLAGS.syn, c.mark)),
  },
  {
    name: `ping behind ${kinds.join(', ')}`,
    forge: chained(kinds, PROTOCOL.icmpv6, (c) => icmpMessage(own6(c), 128, 0, Buffer.concat([Buffer.alloc(4, 7), c.mark]))),
  },
])

/** About a datagram that its receiver never sent: source and destination turned round. */
export function errorAbout(
  type4: number,
  code4: number,
  who: (c: Cast) => { readonly v4: string; readonly v6: string },
  ports?: { src: number; dst: number },
): Forge {
  return (c) => {
    const quoted = { src: c.to.v4, dst: who(c).v4 }
    const about = packet(quoted, PROTOCOL.udp, { body: udpSegment(quoted, ports ?? { src: c.sport, dst: ALLOWED.udp }, c.mark) })
    return [framed(l2(c), own4(c), PROTOCOL.icmp, { body: icmpError(own4(c), type4, code4, about) })]
  }
}

function error6(type: number, code: number): Forge {
  return (c) => {
    const quoted = { src: c.to.v6, dst: c.me.v6 }
    const about = packet(quoted, PROTOCOL.udp, { body: udpSegment(quoted, { src: c.sport, dst: ALLOWED.udp }, c.mark) })
    return [framed(l2(c), own6(c), PROTOCOL.icmpv6, { body: icmpError(own6(c), type, code, about) })]
  }
}

const ERRORS: readonly Attack[] = [
  { name: 'port unreachable', forge: errorAbout(3, 3, (c) => c.me) },
  { name: 'fragmentation needed', forge: errorAbout(3, 4, (c) => c.me) },
  { name: 'time exceeded', forge: errorAbout(11, 0, (c) => c.me) },
  { name: 'a bad parameter', forge: errorAbout(12, 0, (c) => c.me) },
  { name: 'port unreachable, about a neighbour', forge: errorAbout(3, 3, (c) => c.other) },
  { name: 'port unreachable over IPv6', forge: error6(1, 4) },
  { name: 'packet too big over IPv6', forge: error6(2, 0) },
  { name: 'time exceeded over IPv6', forge: error6(3, 0) },
]

/** A datagram with these ports. */
export function packed(ports: Ports): Forge {
  return (c) => [framed(l2(c), own4(c), PROTOCOL.udp, { body: udpSegment(own4(c), ports, c.mark) })]
}

/** What the rules of `tight` and `shut` allow, however it is packed. */
export const ALLOWED_BY_RULES: readonly Attack[] = [
  ...BOTH.flatMap(([ip, l3]) => [
    {
      name: `a datagram over ${ip}`,
      forge: (c: Cast) => [framed(l2(c), l3(c), PROTOCOL.udp, { body: datagram(c, l3(c), ALLOWED.udp, 80) })],
    },
    { name: `a datagram in fragments over ${ip}`, forge: pieces(ALLOWED.udp, l3) },
    { name: `a datagram in fragments over ${ip}, the last one first`, forge: (c: Cast) => [...pieces(ALLOWED.udp, l3)(c)].reverse() },
    {
      name: `two datagrams of one connection in fragments over ${ip}`,
      forge: (c: Cast) => [...pieces(ALLOWED.udp, l3)(c), ...pieces(ALLOWED.udp, l3)(c)],
    },
  ]),
  ...CHAINS.map((kinds) => ({
    name: `UDP behind ${kinds.join(', ')}`,
    forge: chained(kinds, PROTOCOL.udp, (c) => datagram(c, own6(c), ALLOWED.udp, 80)),
  })),
]

/** By topic: one test each. */
export const FORBIDDEN_BY_RULES: Readonly<Record<string, readonly Attack[]>> = {
  'TCP flags without a connection': FLAGGED,
  'other protocols': PROTOCOLS,
  'IPv6 headers in front of what is forbidden': HEADERS,
  'ICMP errors about nothing': ERRORS,
}
