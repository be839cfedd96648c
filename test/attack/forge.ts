import { isIPv6 } from 'node:net'
import { ethernet, ip, type Layer2, type Layer3, u16, u32 } from '../../src/lab/frame-build.ts'
import { internetChecksum } from '../../src/lib/internet-checksum.ts'

/** Frames that no kernel would make: parts of packets that do not fit together, headers in front of headers, errors about nothing. */

export const PROTOCOL = {
  hopByHop: 0,
  icmp: 1,
  ipip: 4,
  tcp: 6,
  udp: 17,
  routing: 43,
  fragment: 44,
  gre: 47,
  esp: 50,
  icmpv6: 58,
  destination: 60,
  sctp: 132,
} as const

export const FLAGS = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32 } as const

export interface Ports {
  readonly src: number
  readonly dst: number
}

/** A piece of an IP packet: what follows the IP header (of a fragment: from `offset` on, in bytes). */
export interface Piece {
  readonly body: Buffer
  /** Absent: not a fragment. */
  readonly fragment?: { readonly id: number; readonly offset: number; readonly more: boolean }
}

/** An IPv4 or IPv6 packet, by the addresses, without Ethernet header. */
export function packet(l3: Layer3, protocol: number, { body, fragment }: Piece): Buffer {
  const [src, dst] = [ip(l3.src), ip(l3.dst)]
  if (isIPv6(l3.src)) {
    const part = fragment === undefined ? Buffer.alloc(0) : fragmentHeader(protocol, fragment)
    const next = fragment === undefined ? protocol : PROTOCOL.fragment
    const hops = 255
    return Buffer.concat([u32(0x60000000), u16(part.length + body.length), Buffer.from([next, hops]), src, dst, part, body])
  }
  const where = fragment === undefined ? 0 : (fragment.offset >> 3) | (fragment.more ? 0x2000 : 0)
  const head = Buffer.concat([
    Buffer.from([0x45, 0]),
    u16(20 + body.length),
    u16(fragment?.id ?? 0),
    u16(where),
    Buffer.from([64, protocol]),
    u16(0),
    src,
    dst,
  ])
  head.writeUInt16BE(internetChecksum(head), 10)
  return Buffer.concat([head, body])
}

/** RFC 8200, 4.5. */
function fragmentHeader(next: number, { id, offset, more }: NonNullable<Piece['fragment']>): Buffer {
  return Buffer.concat([Buffer.from([next, 0]), u16(offset | (more ? 1 : 0)), u32(id)])
}

/** A packet in a frame. */
export function framed(l2: Layer2, l3: Layer3, protocol: number, piece: Piece): Buffer {
  return ethernet(l2, isIPv6(l3.src) ? 0x86dd : 0x0800, packet(l3, protocol, piece))
}

/** An IPv4 frame with a list of hops to pass (LSRR, RFC 791) before what follows its header. */
export function sourceRouted(frame: Buffer, by: string): Buffer {
  const [l2, head, rest] = [frame.subarray(0, 14), Buffer.from(frame.subarray(14, 34)), frame.subarray(34)]
  head.set([0x47], 0)
  head.writeUInt16BE(head.readUInt16BE(2) + 8, 2)
  head.writeUInt16BE(0, 10)
  const whole = Buffer.concat([head, Buffer.from([131, 7, 4]), ip(by), Buffer.from([0])])
  whole.writeUInt16BE(internetChecksum(whole), 10)
  return Buffer.concat([l2, whole, rest])
}

/** Cuts what follows the IP header at these bytes (multiples of 8), each part a frame. */
export function cut(l2: Layer2, l3: Layer3, protocol: number, body: Buffer, at: readonly number[]): Buffer[] {
  const id = 1 + Math.floor(Math.random() * 0xfffe)
  const ends = [...at, body.length]
  return ends.map((end, n) => {
    const offset = n === 0 ? 0 : (ends[n - 1] ?? 0)
    return framed(l2, l3, protocol, { body: body.subarray(offset, end), fragment: { id, offset, more: n < at.length } })
  })
}

export function tcpSegment(l3: Layer3, ports: Ports, flags: number, payload: Buffer): Buffer {
  const head = [
    u16(ports.src),
    u16(ports.dst),
    u32(0x01020304),
    u32((flags & FLAGS.ack) === 0 ? 0 : 0x05060708),
    Buffer.from([0x50, flags]),
  ]
  return summed(l3, PROTOCOL.tcp, Buffer.concat([...head, u16(0xffff), u16(0), u16(0), payload]), 16)
}

export function udpSegment(l3: Layer3, ports: Ports, payload: Buffer): Buffer {
  return summed(l3, PROTOCOL.udp, Buffer.concat([u16(ports.src), u16(ports.dst), u16(8 + payload.length), u16(0), payload]), 6)
}

/** ICMP or ICMPv6, by the addresses. `rest`: all behind type, code and checksum. */
export function icmpMessage(l3: Layer3, type: number, code: number, rest: Buffer): Buffer {
  const protocol = isIPv6(l3.src) ? PROTOCOL.icmpv6 : PROTOCOL.icmp
  return summed(l3, protocol, Buffer.concat([Buffer.from([type, code]), u16(0), rest]), 2)
}

/** An ICMP error: it quotes the packet that it is about. */
export function icmpError(l3: Layer3, type: number, code: number, quoted: Buffer): Buffer {
  return icmpMessage(l3, type, code, Buffer.concat([Buffer.alloc(4), quoted]))
}

/** Header and options of `count` times 8 bytes that say nothing (PadN; a routing header of type 0 with no segments left), in front of `next`. */
export function extension(kind: 'hopByHop' | 'destination' | 'routing', next: number, count = 1): Buffer {
  const body = Buffer.alloc(count * 8 - 2)
  if (kind !== 'routing') for (let left = body.length, at = 0; left > 0; ) [left, at] = pad(body, at, left)
  return Buffer.concat([Buffer.from([next, count - 1]), body])
}

function pad(body: Buffer, at: number, left: number): [number, number] {
  const size = Math.min(left, 250)
  body.set(size === 1 ? [0] : [1, size - 2], at)
  return [left - size, at + size]
}

/** RFC 1071 over the body and, ICMP of IPv4 aside, the pseudo header. */
function summed(l3: Layer3, protocol: number, body: Buffer, at: number): Buffer {
  const pseudo = protocol === PROTOCOL.icmp ? Buffer.alloc(0) : Buffer.concat([ip(l3.src), ip(l3.dst), u32(body.length), u32(protocol)])
  const even = body.length % 2 === 0 ? body : Buffer.concat([body, Buffer.alloc(1)])
  const sum = internetChecksum(Buffer.concat([pseudo, even]))
  body.writeUInt16BE(sum === 0 && protocol === PROTOCOL.udp ? 0xffff : sum, at)
  return body
}

/** IEEE 802.3 with a length instead of a type, and what follows (LLC). */
export function llc(l2: Layer2, body: Buffer): Buffer {
  return ethernet(l2, body.length, body)
}

/** An EtherType behind an LLC/SNAP header (RFC 1042): what Ethernet II says in two bytes. */
export function snap(l2: Layer2, type: number, body: Buffer): Buffer {
  return llc(l2, Buffer.concat([Buffer.from([0xaa, 0xaa, 3, 0, 0, 0]), u16(type), body]))
}
