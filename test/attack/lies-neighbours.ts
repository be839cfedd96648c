import { arp, BROADCAST_MAC, neighborAdvertisement, neighborSolicitation, u16 } from '../../src/lab/frame-build.ts'
import type { Attack, Cast } from './attack.ts'
import { EVERYONE, type Guest } from './field.ts'
import { framed, icmpMessage, PROTOCOL } from './forge.ts'
import { ALL_NODES, bytes6, NOBODY, trailed, ZERO } from './sayings.ts'

type Two = Pick<Guest, 'mac' | 'v4'>

interface Claim {
  readonly op: 1 | 2
  /** Source of the frame; the attacker where left out. */
  readonly src?: string
  readonly sender: Two
  readonly target: Two
  readonly dst?: string
}

function claim(cast: Cast, { op, src = cast.me.mac, sender, target, dst = BROADCAST_MAC }: Claim): Buffer[] {
  return [trailed(arp({ src, dst }, op, { mac: sender.mac, ip: sender.v4 }, { mac: target.mac, ip: target.v4 }), cast)]
}

/** `who` at the MAC of `at`. */
const says = (who: Pick<Guest, 'v4'>, at: Pick<Guest, 'mac'>): Two => ({ v4: who.v4, mac: at.mac })
const UNKNOWN: Two = { mac: ZERO, v4: '0.0.0.0' }

const announce = (c: Cast): Buffer[] => claim(c, { op: 1, sender: c.me, target: says(c.me, UNKNOWN) })
const reply = (c: Cast): Buffer[] => claim(c, { op: 2, sender: c.me, target: c.to, dst: c.to.mac })
const probe = (c: Cast): Buffer[] => claim(c, { op: 1, sender: c.me, target: c.to, dst: c.to.mac })

export const ARP: readonly Attack[] = [
  {
    name: 'an ARP reply that it is the gateway',
    forge: (c) => claim(c, { op: 2, sender: says(c.gw, c.me), target: c.to, dst: c.to.mac }),
    honest: reply,
  },
  {
    name: 'an ARP reply that it is a neighbour',
    forge: (c) => claim(c, { op: 2, sender: says(c.other, c.me), target: c.to, dst: c.to.mac }),
    honest: reply,
  },
  {
    name: 'an ARP reply that its address is elsewhere',
    forge: (c) => claim(c, { op: 2, sender: says(c.me, c.other), target: c.to, dst: c.to.mac }),
    honest: reply,
  },
  {
    name: "an ARP reply in a neighbour's name and MAC",
    forge: (c) => claim(c, { op: 2, sender: c.other, target: c.to, dst: c.to.mac }),
    honest: reply,
  },
  {
    name: "an ARP reply in a neighbour's name from its MAC",
    forge: (c) => claim(c, { op: 2, src: c.other.mac, sender: c.other, target: c.to, dst: c.to.mac }),
    honest: reply,
  },
  {
    name: 'an ARP reply that the gateway is where nobody is',
    forge: (c) => claim(c, { op: 2, sender: { v4: c.gw.v4, mac: NOBODY }, target: c.to, dst: c.to.mac }),
    honest: reply,
  },
  {
    name: 'an ARP request in the name of the gateway',
    forge: (c) => claim(c, { op: 1, sender: says(c.gw, c.me), target: c.to, dst: c.to.mac }),
    honest: probe,
  },
  {
    name: 'a broadcast ARP request in the name of the gateway',
    forge: (c) => claim(c, { op: 1, sender: says(c.gw, c.me), target: { mac: ZERO, v4: c.to.v4.replace(/\d+$/, '200') } }),
    honest: (c) => claim(c, { op: 1, sender: c.me, target: { mac: ZERO, v4: c.to.v4.replace(/\d+$/, '200') } }),
  },
  {
    name: 'a broadcast ARP request in the name of a neighbour, for one whom the switch knows',
    forge: (c) => claim(c, { op: 1, sender: says(c.other, c.me), target: says(c.to, UNKNOWN) }),
    honest: announce,
  },
  {
    name: 'an address probe for the address of who gets it',
    forge: (c) => claim(c, { op: 1, sender: says(UNKNOWN, c.me), target: says(c.to, UNKNOWN), dst: c.to.mac }),
    honest: probe,
  },
  {
    name: 'an address probe for a neighbour, to a group',
    forge: (c) => claim(c, { op: 1, sender: says(UNKNOWN, c.me), target: says(c.to, UNKNOWN), dst: '01:00:5e:00:00:01' }),
    honest: (c) => claim(c, { op: 1, sender: says(UNKNOWN, c.me), target: says(c.me, UNKNOWN), dst: '01:00:5e:00:00:01' }),
  },
  {
    name: 'gratuitous ARP for the gateway',
    forge: (c) => claim(c, { op: 1, sender: says(c.gw, c.me), target: says(c.gw, UNKNOWN) }),
    honest: announce,
  },
  {
    name: 'gratuitous ARP for the receiver',
    forge: (c) => claim(c, { op: 1, sender: says(c.to, c.me), target: says(c.to, UNKNOWN) }),
    honest: announce,
  },
  {
    name: 'a gratuitous ARP reply for the gateway',
    forge: (c) => claim(c, { op: 2, sender: says(c.gw, c.me), target: says(c.gw, EVERYONE) }),
    honest: (c) => claim(c, { op: 2, sender: c.me, target: says(c.me, EVERYONE) }),
  },
  {
    name: 'a gratuitous ARP reply for a neighbour',
    forge: (c) => claim(c, { op: 2, sender: says(c.other, c.me), target: says(c.other, EVERYONE) }),
    honest: (c) => claim(c, { op: 2, sender: c.me, target: says(c.me, EVERYONE) }),
  },
  {
    name: 'an ARP reply without a sender’s address',
    forge: (c) => claim(c, { op: 2, sender: says(UNKNOWN, c.me), target: c.to, dst: c.to.mac }),
    honest: reply,
  },
  {
    name: 'ARP of hardware type 6 that it is the gateway',
    forge: (c) => altered(claim(c, { op: 2, sender: says(c.gw, c.me), target: c.to, dst: c.to.mac }), 14, [0, 6]),
    honest: reply,
  },
  {
    name: 'ARP of operation 8 that it is the gateway',
    forge: (c) => altered(claim(c, { op: 2, sender: says(c.gw, c.me), target: c.to, dst: c.to.mac }), 20, [0, 8]),
    honest: reply,
  },
  {
    name: 'ARP in a SNAP frame that it is the gateway',
    forge: (c) => claim(c, { op: 2, sender: says(c.gw, c.me), target: c.to, dst: c.to.mac }).map(inSnap),
    honest: (c) => reply(c).map(inSnap),
  },
  { name: 'RARP with a neighbour’s MAC', forge: (c) => [rarp(c, c.other.mac)], honest: (c) => [rarp(c, c.me.mac)] },
  { name: 'RARP with a neighbour’s MAC inside', forge: (c) => [rarp(c, c.me.mac, c.other.mac)], honest: (c) => [rarp(c, c.me.mac)] },
]

function altered(frames: readonly Buffer[], at: number, bytes: readonly number[]): Buffer[] {
  return frames.map((f) => {
    const out = Buffer.from(f)
    out.set(bytes, at)
    return out
  })
}

function inSnap(frame: Buffer): Buffer {
  return Buffer.concat([frame.subarray(0, 12), u16(8 + frame.length - 14), Buffer.from([0xaa, 0xaa, 3, 0, 0, 0]), frame.subarray(12)])
}

function rarp(cast: Cast, src: string, says = src): Buffer {
  const frame = arp({ src, dst: BROADCAST_MAC }, 1, { mac: says, ip: '0.0.0.0' }, { mac: says, ip: '0.0.0.0' })
  return trailed(altered(altered([frame], 12, [0x80, 0x35]), 20, [0, 3])[0] ?? frame, cast)
}

interface Advert {
  readonly src?: string
  readonly target: { readonly ip: string; readonly mac: string }
  /** To one alone; to all where left out. */
  readonly to?: Guest
}

function advertise(cast: Cast, { src = cast.me.v6, target, to }: Advert): Buffer[] {
  return [trailed(neighborAdvertisement({ src: cast.me.mac, dst: to?.mac ?? ALL_NODES }, { src, dst: to?.v6 ?? 'ff02::1' }, target), cast)]
}

function solicit(
  cast: Cast,
  { src = cast.me.v6, mac = cast.me.mac, from = cast.me.mac }: { src?: string; mac?: string; from?: string },
): Buffer[] {
  return [trailed(neighborSolicitation({ src: mac, dst: cast.to.mac }, { src, dst: cast.to.v6 }, cast.to.v6, from), cast)]
}

/** Neighbour discovery with options as they are: type and MAC. */
function discovery({ me, to, mark }: Cast, type: 135 | 136, target: string, options: readonly (readonly [number, string])[]): Buffer[] {
  const l3 = { src: me.v6, dst: to.v6 }
  const hex = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex')
  const rest = [
    Buffer.from([type === 136 ? 0x20 : 0, 0, 0, 0]),
    bytes6(target),
    ...options.map(([kind, mac]) => Buffer.concat([Buffer.from([kind, 1]), hex(mac)])),
  ]
  return [
    trailed(framed({ src: me.mac, dst: to.mac }, l3, PROTOCOL.icmpv6, { body: icmpMessage(l3, type, 0, Buffer.concat(rest)) }), { mark }),
  ]
}

const honestAdvert = (c: Cast): Buffer[] => advertise(c, { target: { ip: c.me.v6, mac: c.me.mac } })
const honestAnswer = (c: Cast): Buffer[] => advertise(c, { target: { ip: c.me.v6, mac: c.me.mac }, to: c.to })
const honestSolicit = (c: Cast): Buffer[] => solicit(c, {})

export const DISCOVERY: readonly Attack[] = [
  {
    name: 'an advertisement that it is the gateway, override, to all',
    forge: (c) => advertise(c, { target: { ip: c.gw.v6, mac: c.me.mac } }),
    honest: honestAdvert,
  },
  {
    name: 'an advertisement that it is the gateway',
    forge: (c) => advertise(c, { target: { ip: c.gw.v6, mac: c.me.mac }, to: c.to }),
    honest: honestAnswer,
  },
  {
    name: 'an advertisement that it is a neighbour',
    forge: (c) => advertise(c, { target: { ip: c.other.v6, mac: c.me.mac }, to: c.to }),
    honest: honestAnswer,
  },
  {
    name: 'an advertisement that it is the receiver (a double)',
    forge: (c) => advertise(c, { target: { ip: c.to.v6, mac: c.me.mac } }),
    honest: honestAdvert,
  },
  {
    name: 'an advertisement of a neighbour’s link-local address',
    forge: (c) => advertise(c, { target: { ip: c.other.link, mac: c.me.mac } }),
    honest: honestAdvert,
  },
  {
    name: 'an advertisement that its address is elsewhere',
    forge: (c) => advertise(c, { target: { ip: c.me.v6, mac: c.other.mac }, to: c.to }),
    honest: honestAnswer,
  },
  {
    name: 'an advertisement from the gateway’s address',
    forge: (c) => advertise(c, { src: c.gw.v6, target: { ip: c.gw.v6, mac: c.me.mac } }),
    honest: honestAdvert,
  },
  {
    name: 'an advertisement of its own from a neighbour’s address',
    forge: (c) => advertise(c, { src: c.other.v6, target: { ip: c.me.v6, mac: c.me.mac } }),
    honest: honestAdvert,
  },
  {
    name: 'an advertisement of the gateway without an option',
    forge: (c) => discovery(c, 136, c.gw.v6, []),
    honest: (c) => discovery(c, 136, c.me.v6, []),
  },
  {
    name: 'an advertisement with two options, the first a lie',
    forge: (c) =>
      discovery(c, 136, c.me.v6, [
        [2, c.other.mac],
        [2, c.me.mac],
      ]),
    honest: honestAnswer,
  },
  {
    name: 'an advertisement with a source option before a lie',
    forge: (c) =>
      discovery(c, 136, c.me.v6, [
        [1, c.me.mac],
        [2, c.other.mac],
      ]),
    honest: honestAnswer,
  },
  { name: 'a solicitation in a neighbour’s name', forge: (c) => solicit(c, { src: c.other.v6 }), honest: honestSolicit },
  { name: 'a solicitation in the gateway’s name', forge: (c) => solicit(c, { src: c.gw.v6 }), honest: honestSolicit },
  { name: 'a solicitation that its address is elsewhere', forge: (c) => solicit(c, { from: c.other.mac }), honest: honestSolicit },
  {
    name: 'a solicitation from a neighbour’s MAC',
    forge: (c) => solicit(c, { mac: c.other.mac, from: c.other.mac }),
    honest: honestSolicit,
  },
  {
    name: 'a solicitation with two options, the first a lie',
    forge: (c) =>
      discovery(c, 135, c.to.v6, [
        [1, c.other.mac],
        [1, c.me.mac],
      ]),
    honest: honestSolicit,
  },
  {
    name: 'a solicitation with two options, both a lie',
    forge: (c) =>
      discovery(c, 135, c.to.v6, [
        [1, c.other.mac],
        [1, c.other.mac],
      ]),
    honest: honestSolicit,
  },
  {
    name: 'detection of the receiver’s address, as if it were its own',
    forge: (c) => [trailed(neighborSolicitation({ src: c.me.mac, dst: ALL_NODES }, { src: '::', dst: 'ff02::1' }, c.to.v6), c)],
    honest: (c) => [trailed(neighborSolicitation({ src: c.me.mac, dst: ALL_NODES }, { src: '::', dst: 'ff02::1' }, c.me.v6), c)],
  },
]
