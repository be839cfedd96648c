import { BROADCAST_MAC, ethernet } from '../../src/lab/frame-build.ts'
import type { Attack, Cast } from './attack.ts'
import { llc, PROTOCOL, packet, snap, udpSegment } from './forge.ts'
import { broadcastUdp, hello, NOBODY, ZERO } from './sayings.ts'

const GROUP_MAC = '01:00:5e:00:00:fb'

const from4 = (src: string) => (cast: Cast) => hello(cast, {}, { src, dst: cast.to.v4 })
const from6 = (src: string) => (cast: Cast) => hello(cast, {}, { src, dst: cast.to.v6 })
const honest4 = (cast: Cast): Buffer[] => hello(cast, {}, { src: cast.me.v4, dst: cast.to.v4 })
const honest6 = (cast: Cast): Buffer[] => hello(cast, {}, { src: cast.me.v6, dst: cast.to.v6 })

export const SOURCES: readonly Attack[] = [
  { name: "a neighbour's MAC", forge: (c) => hello(c, { src: c.other.mac }, { src: c.me.v4, dst: c.to.v4 }), honest: honest4 },
  {
    name: "a neighbour's MAC and address",
    forge: (c) => hello(c, { src: c.other.mac }, { src: c.other.v4, dst: c.to.v4 }),
    honest: honest4,
  },
  { name: "the receiver's own MAC", forge: (c) => hello(c, { src: c.to.mac }, { src: c.me.v4, dst: c.to.v4 }), honest: honest4 },
  { name: 'a MAC that nobody has', forge: (c) => hello(c, { src: NOBODY }, { src: c.me.v4, dst: c.to.v4 }), honest: honest4 },
  {
    name: 'a MAC that nobody has, to everyone',
    forge: (c) => hello(c, { src: NOBODY, dst: BROADCAST_MAC }, { src: c.me.v4, dst: '255.255.255.255' }),
    honest: (c) => hello(c, { dst: BROADCAST_MAC }, { src: c.me.v4, dst: '255.255.255.255' }),
  },
  {
    name: 'a multicast MAC as source',
    forge: (c) => hello(c, { src: GROUP_MAC }, { src: c.me.v4, dst: c.to.v4 }),
    honest: honest4,
    by: ['evil', 'free'],
  },
  {
    name: 'the broadcast MAC as source',
    forge: (c) => hello(c, { src: BROADCAST_MAC }, { src: c.me.v4, dst: c.to.v4 }),
    honest: honest4,
    by: ['evil', 'free'],
  },
  {
    name: 'its own MAC with the group bit',
    forge: (c) => hello(c, { src: c.me.mac.replace('fa', 'fb') }, { src: c.me.v4, dst: c.to.v4 }),
    honest: honest4,
    by: ['evil', 'free'],
  },
  { name: 'no MAC at all as source', forge: (c) => hello(c, { src: ZERO }, { src: c.me.v4, dst: c.to.v4 }), honest: honest4 },
  { name: "a neighbour's IPv4", forge: (c) => from4(c.other.v4)(c), honest: honest4 },
  { name: "the gateway's IPv4", forge: (c) => from4(c.gw.v4)(c), honest: honest4 },
  { name: "the receiver's own IPv4", forge: (c) => from4(c.to.v4)(c), honest: honest4 },
  ...['8.8.8.8', '0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255', '192.0.2.1'].map((ip) => ({
    name: `IPv4 from ${ip}`,
    forge: from4(ip),
    honest: honest4,
  })),
  { name: "a neighbour's IPv6", forge: (c) => from6(c.other.v6)(c), honest: honest6 },
  { name: "the gateway's IPv6", forge: (c) => from6(c.gw.v6)(c), honest: honest6 },
  { name: "a neighbour's link-local address", forge: (c) => from6(c.other.link)(c), honest: (c) => from6(c.me.link)(c) },
  ...['2001:db8::1', '::', '::1', 'ff02::1', 'fe80::1', '::ffff:a0a:b'].map((ip) => ({
    name: `IPv6 from ${ip}`,
    forge: from6(ip),
    honest: honest6,
  })),
  { name: 'IPv4 in a SNAP frame, a neighbour’s', forge: (c) => snapped(c, c.other.v4), honest: (c) => snapped(c, c.me.v4) },
]

function snapped({ me, to, mark, sport }: Cast, src: string): Buffer[] {
  const l3 = { src, dst: to.v4 }
  return [snap({ src: me.mac, dst: to.mac }, 0x0800, packet(l3, PROTOCOL.udp, { body: udpSegment(l3, { src: sport, dst: 9 }, mark) }))]
}

const typed = (type: number, dst?: string) => (c: Cast) => [
  ethernet({ src: c.me.mac, dst: dst ?? c.to.mac }, type, Buffer.concat([Buffer.alloc(40), c.mark])),
]
const BPDU = Buffer.from([0x42, 0x42, 3, 0, 0, 0, 0, 0])

export const TYPES: readonly Attack[] = [
  { name: 'LLDP', forge: typed(0x88cc, '01:80:c2:00:00:0e'), honest: broadcastUdp },
  { name: 'LLDP to one', forge: typed(0x88cc) },
  {
    name: 'BPDU',
    forge: (c) => [llc({ src: c.me.mac, dst: '01:80:c2:00:00:00' }, Buffer.concat([BPDU, Buffer.alloc(40), c.mark]))],
    honest: broadcastUdp,
  },
  { name: 'BPDU to all', forge: (c) => [llc({ src: c.me.mac, dst: BROADCAST_MAC }, Buffer.concat([BPDU, Buffer.alloc(40), c.mark]))] },
  {
    name: 'Cisco’s protocols',
    honest: broadcastUdp,
    forge: (c) => [
      llc(
        { src: c.me.mac, dst: '01:00:0c:cc:cc:cc' },
        Buffer.concat([Buffer.from([0xaa, 0xaa, 3, 0, 0, 12, 0x20, 0]), Buffer.alloc(40), c.mark]),
      ),
    ],
  },
  {
    name: 'IPX over LLC',
    forge: (c) => [llc({ src: c.me.mac, dst: c.to.mac }, Buffer.concat([Buffer.from([0xe0, 0xe0, 3]), Buffer.alloc(40), c.mark]))],
  },
  ...(
    [
      ['MPLS', 0x8847],
      ['MPLS multicast', 0x8848],
      ['PPPoE discovery', 0x8863],
      ['PPPoE session', 0x8864],
      ['EAPOL', 0x888e],
      ['Ethernet loopback', 0x9000],
      ['a type for experiments', 0x88b5],
      ['NSH', 0x894f],
      ['type 0x0600', 0x0600],
      ['type 0xffff', 0xffff],
    ] as const
  ).map(([name, type]) => ({ name, forge: typed(type) })),
  { name: 'a pause', forge: typed(0x8808, '01:80:c2:00:00:01'), honest: broadcastUdp },
]
