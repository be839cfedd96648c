import { BROADCAST_MAC, dhcpOffer, type Layer3, routerAdvertisement } from '../../src/lab/frame-build.ts'
import type { Attack, Cast, Forge } from './attack.ts'
import { cut, extension, framed, icmpError, icmpMessage, PROTOCOL, packet, sourceRouted, udpSegment } from './forge.ts'
import { ALL_NODES, bytes6, own4, own6, trailed } from './sayings.ts'

function datagram(cast: Cast, l3: Layer3, ports: { src: number; dst: number }, dst: string = cast.to.mac): Buffer[] {
  return [
    framed({ src: cast.me.mac, dst }, l3, PROTOCOL.udp, { body: udpSegment(l3, ports, Buffer.concat([Buffer.alloc(240), cast.mark])) }),
  ]
}

export const SERVERS: readonly Attack[] = [
  {
    name: 'a DHCP offer to all',
    forge: (c) => [trailed(dhcpOffer({ src: c.me.mac, dst: BROADCAST_MAC }, { src: c.me.v4, dst: '255.255.255.255' }), c)],
  },
  { name: 'a DHCP offer', forge: (c) => datagram(c, own4(c), { src: 67, dst: 68 }) },
  {
    name: 'a DHCP offer with a source route',
    forge: (c) => datagram(c, own4(c), { src: 67, dst: 68 }).map((frame) => sourceRouted(frame, c.other.v4)),
  },
  { name: 'a DHCP offer from another port than a server’s', forge: (c) => datagram(c, own4(c), { src: 6767, dst: 68 }) },
  {
    name: 'a DHCP offer from a client’s port',
    forge: (c) => datagram(c, { src: c.me.v4, dst: '255.255.255.255' }, { src: 68, dst: 68 }, BROADCAST_MAC),
  },
  ...inPieces('a DHCP offer in fragments', (c) => fragmented(c, own4(c), { src: 67, dst: 68 })),
  {
    name: 'a DHCPv6 advertisement',
    forge: (c) => [trailed(dhcpOffer({ src: c.me.mac, dst: c.to.mac }, { src: c.me.link, dst: c.to.link }), c)],
  },
  { name: 'a DHCPv6 reply from its address', forge: (c) => datagram(c, own6(c), { src: 547, dst: 546 }) },
  { name: 'a DHCPv6 reply from another port than a server’s', forge: (c) => datagram(c, own6(c), { src: 6767, dst: 546 }) },
  ...inPieces('a DHCPv6 reply in fragments', (c) => fragmented(c, own6(c), { src: 547, dst: 546 })),
  {
    name: 'a DHCPv6 reply behind a hop-by-hop header',
    forge: (c) => hidden(c, 'hopByHop', PROTOCOL.udp, udpSegment(own6(c), { src: 547, dst: 546 }, c.mark)),
    by: ['evil', 'plain'],
  },
  ...inPieces('a DHCPv6 reply whose UDP header is not in the first fragment', (c) => buried(c, PROTOCOL.udp, dhcpReply6(c))),
  ...inPieces('a DHCPv6 reply behind options that go on in the second fragment', (c) => buried(c, PROTOCOL.udp, dhcpReply6(c), 1272)),
]

const dhcpReply6 = (c: Cast): Buffer => udpSegment(own6(c), { src: 547, dst: 546 }, Buffer.alloc(200, c.mark))

/**
 * Where connections are kept, no part of it is let on. Where they are not, the parts behind the first may pass: nobody can make anything of them alone, so only the first is looked for.
 */
function inPieces(name: string, forge: Forge): Attack[] {
  const headed: Forge = (c) => forge(c).map((frame, n) => (n === 0 ? frame : unmarked(frame, c.mark)))
  return [
    { name, forge },
    { name: `${name}: the first`, forge: headed, by: ['plain'] },
  ]
}

function unmarked(frame: Buffer, mark: Buffer): Buffer {
  return Buffer.from(frame.toString('latin1').replaceAll(mark.toString(), '-'.repeat(mark.length)), 'latin1')
}

/** A datagram in two fragments, the mark in both. */
function fragmented({ me, to, mark }: Cast, l3: Layer3, ports: { src: number; dst: number }): Buffer[] {
  return cut({ src: me.mac, dst: to.mac }, l3, PROTOCOL.udp, udpSegment(l3, ports, Buffer.alloc(1480, mark)), [1304])
}

/** Behind an extension header. */
function hidden({ me, to }: Cast, kind: 'hopByHop' | 'destination' | 'routing', next: number, body: Buffer): Buffer[] {
  return [
    framed({ src: me.mac, dst: to.mac }, { src: me.v6, dst: to.v6 }, PROTOCOL[kind], {
      body: Buffer.concat([extension(kind, next), body]),
    }),
  ]
}

/** The first fragment is full of options that say nothing; what it is about stands in the second (RFC 7112). */
function buried({ me, to, mark }: Cast, next: number, body: Buffer, at = 1280): Buffer[] {
  const options = extension('destination', next, 160)
  options.set(mark, 260)
  return cut({ src: me.mac, dst: to.mac }, { src: me.v6, dst: to.v6 }, PROTOCOL.destination, Buffer.concat([options, body]), [at])
}

const ra = (c: Cast, l3: Layer3): Buffer =>
  icmpMessage(
    l3,
    134,
    0,
    Buffer.concat([
      Buffer.from([64, 0, 7, 8]),
      Buffer.alloc(8),
      Buffer.from([3, 4, 64, 0xc0]),
      Buffer.alloc(12, 0xff),
      Buffer.alloc(16),
      c.mark,
    ]),
  )
/** That its receiver is reached by way of the attacker. */
const redirect6 = (c: Cast, l3: Layer3): Buffer =>
  icmpMessage(l3, 137, 0, Buffer.concat([Buffer.alloc(4), bytes6(c.me.link), bytes6(c.other.v6), c.mark]))
function redirect4(c: Cast, src: string): Buffer[] {
  const quoted = { src: c.to.v4, dst: c.other.v4 }
  const about = packet(quoted, PROTOCOL.udp, { body: udpSegment(quoted, { src: 1000, dst: 2000 }, c.mark) })
  const l3 = { src, dst: c.to.v4 }
  const body = icmpError(l3, 5, 1, about)
  return [framed({ src: c.me.mac, dst: c.to.mac }, l3, PROTOCOL.icmp, { body })]
}

function plain6(c: Cast, l3: Layer3, body: Buffer): Buffer[] {
  return [framed({ src: c.me.mac, dst: c.to.mac }, l3, PROTOCOL.icmpv6, { body })]
}

const local = (c: Cast): Layer3 => ({ src: c.me.link, dst: c.to.link })

/** That it is the gateway. */
function theGateway(c: Cast): Buffer {
  const mac = Buffer.from(c.me.mac.replaceAll(':', ''), 'hex')
  return icmpMessage(own6(c), 136, 0, Buffer.concat([Buffer.from([0x20, 0, 0, 0]), bytes6(c.gw.v6), Buffer.from([2, 1]), mac, c.mark]))
}

/** Its link-layer address, somebody else's, stands behind an option that fills the first fragment. */
function askBehind(c: Cast): Buffer {
  const filling = Buffer.concat([Buffer.from([14, 160]), c.mark, Buffer.alloc(160 * 8 - 2 - c.mark.length)])
  const lladdr = Buffer.from(`0101${c.other.mac.replaceAll(':', '')}`, 'hex')
  return icmpMessage(own6(c), 135, 0, Buffer.concat([Buffer.alloc(4), bytes6(c.to.v6), filling, lladdr, c.mark]))
}

export const ROUTERS: readonly Attack[] = [
  {
    name: 'a router advertisement to all',
    forge: (c) => [trailed(routerAdvertisement({ src: c.me.mac, dst: ALL_NODES }, { src: c.me.link, dst: 'ff02::1' }, 'fd66::'), c)],
    by: ['evil', 'tight', 'plain'],
  },
  { name: 'a router advertisement to one', forge: (c) => plain6(c, local(c), ra(c, local(c))) },
  { name: 'a router advertisement from its address', forge: (c) => plain6(c, own6(c), ra(c, own6(c))) },
  ...(['hopByHop', 'destination', 'routing'] as const).map(
    (kind): Attack => ({
      name: `a router advertisement behind a header: ${kind}`,
      forge: (c) => hidden(c, kind, PROTOCOL.icmpv6, ra(c, own6(c))),
      by: ['evil', 'plain'],
    }),
  ),
  {
    name: 'a router advertisement in one fragment that is the whole',
    forge: (c) => [
      framed({ src: c.me.mac, dst: c.to.mac }, own6(c), PROTOCOL.icmpv6, {
        body: ra(c, own6(c)),
        fragment: { id: 7, offset: 0, more: false },
      }),
    ],
    by: ['evil', 'plain'],
  },
  ...inPieces('a router advertisement that is not in the first fragment', (c) => buried(c, PROTOCOL.icmpv6, ra(c, own6(c)))),
  ...inPieces('a router advertisement behind options that go on in the second fragment', (c) =>
    buried(c, PROTOCOL.icmpv6, ra(c, own6(c)), 1272),
  ),
  ...inPieces('an advertisement for the gateway that is not in the first fragment', (c) => buried(c, PROTOCOL.icmpv6, theGateway(c))),
  ...inPieces('a solicitation in fragments', (c) => cut({ src: c.me.mac, dst: c.to.mac }, own6(c), PROTOCOL.icmpv6, askBehind(c), [1304])),
  { name: 'an IPv6 redirect', forge: (c) => plain6(c, local(c), redirect6(c, local(c))), by: ['evil', 'plain'] },
  {
    name: 'an IPv6 redirect in the gateway’s name',
    forge: (c) => plain6(c, { src: c.gw.link, dst: c.to.link }, redirect6(c, { src: c.gw.link, dst: c.to.link })),
    by: ['evil', 'plain'],
  },
  { name: 'an IPv4 redirect', forge: (c) => redirect4(c, c.me.v4), by: ['evil', 'plain'] },
  { name: 'an IPv4 redirect in the gateway’s name', forge: (c) => redirect4(c, c.gw.v4), by: ['evil', 'plain'] },
]
