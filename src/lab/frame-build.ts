import { isIPv6 } from 'node:net'
import { internetChecksum } from '../lib/internet-checksum.ts'

/** Frames for tests of what a switch lets through. Addresses are canonical text; a wrong one throws. No frame carries its checksum of layer 2. */

const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd, vlan: 0x8100 } as const
const PROTOCOL = { icmp: 1, udp: 17, icmpv6: 58 } as const

export interface Layer2 {
  readonly src: string
  readonly dst: string
}

export interface Layer3 {
  readonly src: string
  readonly dst: string
}

export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff'

export function ethernet(l2: Layer2, type: number, payload: Buffer): Buffer {
  const head = Buffer.concat([mac(l2.dst), mac(l2.src), u16(type)])
  return Buffer.concat([head, payload, Buffer.alloc(Math.max(0, 60 - head.length - payload.length))])
}

/** The frame with a VLAN tag (802.1Q) before its type. */
export function tagged(frame: Buffer, vlan: number): Buffer {
  return Buffer.concat([frame.subarray(0, 12), u16(ETHERTYPE.vlan), u16(vlan), frame.subarray(12)])
}

/** ARP (RFC 826): `op` 1 asks, 2 answers. */
export function arp(l2: Layer2, op: 1 | 2, sender: { mac: string; ip: string }, target: { mac: string; ip: string }): Buffer {
  const body = [u16(1), u16(ETHERTYPE.ipv4), Buffer.from([6, 4]), u16(op), mac(sender.mac), ip(sender.ip), mac(target.mac), ip(target.ip)]
  return ethernet(l2, ETHERTYPE.arp, Buffer.concat(body))
}

/** UDP over IPv4 or IPv6, by the addresses. */
export function udp(l2: Layer2, l3: Layer3, ports: { src: number; dst: number }, payload: Buffer): Buffer {
  const length = 8 + payload.length
  return packet(l2, l3, PROTOCOL.udp, Buffer.concat([u16(ports.src), u16(ports.dst), u16(length), u16(0), payload]), 6, 64)
}

/** ICMP echo request, or ICMPv6 by the addresses. */
export function echo(l2: Layer2, l3: Layer3): Buffer {
  const six = isIPv6(l3.src)
  const body = Buffer.concat([Buffer.from([six ? 128 : 8, 0]), u16(0), u16(0x6e6c), u16(1), Buffer.from('netloom')])
  return packet(l2, l3, six ? PROTOCOL.icmpv6 : PROTOCOL.icmp, body, 2, 64)
}

/** Neighbour advertisement (RFC 4861, 4.4), solicited and overriding, with the target's link-layer option. */
export function neighborAdvertisement(l2: Layer2, l3: Layer3, target: { ip: string; mac: string }): Buffer {
  const body = [Buffer.from([136, 0]), u16(0), Buffer.from([0x60, 0, 0, 0]), ip(target.ip), Buffer.from([2, 1]), mac(target.mac)]
  return packet(l2, l3, PROTOCOL.icmpv6, Buffer.concat(body), 2, 255)
}

/** Neighbour solicitation (RFC 4861, 4.3); without `from`, no link-layer option (as in duplicate address detection). */
export function neighborSolicitation(l2: Layer2, l3: Layer3, target: string, from?: string): Buffer {
  const option = from === undefined ? [] : [Buffer.from([1, 1]), mac(from)]
  return packet(l2, l3, PROTOCOL.icmpv6, Buffer.concat([Buffer.from([135, 0]), u16(0), Buffer.alloc(4), ip(target), ...option]), 2, 255)
}

/** Router advertisement (RFC 4861, 4.2) of a router that wants to be the default one, with a prefix of /64 to take addresses from. */
export function routerAdvertisement(l2: Layer2, l3: Layer3, prefix: string): Buffer {
  const head = Buffer.from([134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0])
  const option = Buffer.concat([Buffer.from([3, 4, 64, 0xc0]), u32(86_400), u32(14_400), u32(0), ip(prefix)])
  return packet(l2, l3, PROTOCOL.icmpv6, Buffer.concat([head, option]), 2, 255)
}

/** What a DHCP server (RFC 2131) sends: enough of an offer for any filter that looks at ports. */
export function dhcpOffer(l2: Layer2, l3: Layer3): Buffer {
  const payload = Buffer.alloc(300)
  payload.set([2, 1, 6, 0])
  payload.writeUInt32BE(0x63825363, 236)
  payload.set([53, 1, 2, 255], 240)
  return udp(l2, l3, isIPv6(l3.src) ? { src: 547, dst: 546 } : { src: 67, dst: 68 }, payload)
}

function packet(l2: Layer2, l3: Layer3, protocol: number, body: Buffer, checksumAt: number, hops: number): Buffer {
  const six = isIPv6(l3.src)
  const [src, dst] = [ip(l3.src), ip(l3.dst)]
  // ICMP over IPv4 is the one whose checksum has no pseudo header (RFC 792).
  const pseudo = protocol === PROTOCOL.icmp ? Buffer.alloc(0) : Buffer.concat([src, dst, u32(body.length), u32(protocol)])
  const sum = internetChecksum(Buffer.concat([pseudo, body]))
  body.writeUInt16BE(sum === 0 && protocol === PROTOCOL.udp ? 0xffff : sum, checksumAt)
  if (six) {
    const head = Buffer.concat([u32(0x60000000), u16(body.length), Buffer.from([protocol, hops]), src, dst])
    return ethernet(l2, ETHERTYPE.ipv6, Buffer.concat([head, body]))
  }
  const head = Buffer.concat([Buffer.from([0x45, 0]), u16(20 + body.length), u32(0), Buffer.from([hops, protocol]), u16(0), src, dst])
  head.writeUInt16BE(internetChecksum(head), 10)
  return ethernet(l2, ETHERTYPE.ipv4, Buffer.concat([head, body]))
}

/** Six bytes. */
export function mac(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll(':', ''), 'hex')
  if (bytes.length !== 6) throw new Error(`not a MAC address: ${text}`)
  return bytes
}

/** Four bytes or sixteen. */
export function ip(text: string): Buffer {
  if (!text.includes(':')) {
    const parts = text.split('.').map(Number)
    if (parts.length !== 4 || parts.some((p) => !(p >= 0 && p <= 255))) throw new Error(`not an IPv4 address: ${text}`)
    return Buffer.from(parts)
  }
  if (!isIPv6(text) || text.includes('.')) throw new Error(`not an IPv6 address: ${text}`)
  const [left = '', right] = text.split('::')
  const words = (side: string): number[] => (side === '' ? [] : side.split(':').map((w) => Number.parseInt(w, 16)))
  const tail = right === undefined ? [] : words(right)
  const head = words(left)
  return Buffer.concat([...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail].map(u16))
}

/** In the order of the network. */
export function u16(n: number): Buffer {
  return Buffer.from([(n >>> 8) & 0xff, n & 0xff])
}

/** In the order of the network. */
export function u32(n: number): Buffer {
  return Buffer.concat([u16(n >>> 16), u16(n)])
}
