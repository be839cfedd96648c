import { icmp6Sum, internetChecksum } from '../../../../src/lib/internet-checksum.ts'
import { EXTENSION_HEADERS, FRAGMENT_HEADER, WITH_PORTS } from '../../../../src/lib/ip-protocol.ts'
import type { Fault } from '../compile/registers.ts'

/** A packet that a router does not forward, and what is needed to say so. */
export interface Refused {
  readonly fault: Fault
  /** Ethernet frame without VLAN tag. It may be cut, behind its headers. */
  readonly frame: Buffer
  /** What the next network carries, in bytes; of `too_big`. */
  readonly mtu: number
  /** The router's MAC that the sender sent it to, and the sender's. */
  readonly from: Buffer
  readonly to: Buffer
  /** The router's addresses on the sender's network: an address and, behind it, the length of its prefix in one byte, one after the other; all of the packet's family. */
  readonly sources: Buffer
}

const IPV4 = 0x0800
const IPV6 = 0x86dd
const ETHERNET = 14
const ICMP = 1
const ICMP6 = 58
const TTL = 64
/** Errors are answered to no error (RFC 1122, 3.2.2): unreachable, quench, redirect, time exceeded, parameter problem. */
const ERRORS: ReadonlySet<number> = new Set([3, 4, 5, 11, 12])

/** Type and code (RFC 792, RFC 1812; RFC 4443). */
const SAID: Readonly<Record<Fault, readonly [v4: readonly [number, number], v6: readonly [number, number]]>> = {
  hop_limit: [
    [11, 0],
    [3, 0],
  ],
  too_big: [
    [3, 4],
    [2, 0],
  ],
  no_route: [
    [3, 0],
    [1, 0],
  ],
  no_neighbour: [
    [3, 1],
    [1, 3],
  ],
  no_port: [
    [3, 3],
    [1, 4],
  ],
}

/**
 * The whole frame that tells the sender. Undefined: nobody is to be told (RFC 1812, 4.3.2.7; RFC 4443, 2.4 e): it is an error itself, or a later fragment, or comes from or goes to no single host; or it
 * is no packet at all. Never throws.
 */
export function icmpError(refused: Refused): Buffer | undefined {
  const { frame } = refused
  if (frame.length < ETHERNET) return undefined
  const packet = frame.subarray(ETHERNET)
  switch (frame.readUInt16BE(12)) {
    case IPV4:
      return errorFor4(refused, packet)
    case IPV6:
      return errorFor6(refused, packet)
    default:
      return undefined
  }
}

function errorFor4(refused: Refused, packet: Buffer): Buffer | undefined {
  if (packet.length < 20 || packet.readUInt8(0) >>> 4 !== 4) return undefined
  const header = (packet.readUInt8(0) & 15) * 4
  const whole = packet.subarray(0, Math.max(header, packet.readUInt16BE(2)))
  if (header < 20 || whole.length < header || (whole.readUInt16BE(6) & 0x1fff) !== 0) return undefined
  const [sender, receiver, protocol] = [whole.subarray(12, 16), whole.subarray(16, 20), whole.readUInt8(9)]
  if (!isSingle4(sender) || !isSingle4(receiver)) return undefined
  if (protocol === ICMP && (refused.fault === 'no_port' || whole.length <= header || ERRORS.has(whole.readUInt8(header)))) return undefined
  const source = nearest(refused.sources, sender)
  if (source === undefined) return undefined
  const [type, code] = SAID[refused.fault][0]
  const icmp = Buffer.alloc(8)
  icmp.writeUInt8(type, 0)
  icmp.writeUInt8(refused.fault === 'no_port' && !WITH_PORTS.has(protocol) ? 2 : code, 1)
  if (refused.fault === 'too_big') icmp.writeUInt16BE(refused.mtu, 6)
  // As much of it as makes a packet of 576 bytes (RFC 1812, 4.3.2.3).
  const body = Buffer.concat([icmp, whole.subarray(0, 576 - 28)])
  body.writeUInt16BE(internetChecksum(body), 2)
  const ip = Buffer.alloc(20)
  // Internetwork control, as routers mark what they say themselves (RFC 1812, 4.3.2.5).
  ip.writeUInt16BE(0x45c0, 0)
  ip.writeUInt16BE(20 + body.length, 2)
  ip.writeUInt8(TTL, 8)
  ip.writeUInt8(ICMP, 9)
  source.copy(ip, 12)
  sender.copy(ip, 16)
  ip.writeUInt16BE(internetChecksum(ip), 10)
  return framed(refused, IPV4, [ip, body])
}

function errorFor6(refused: Refused, packet: Buffer): Buffer | undefined {
  if (packet.length < 40 || packet.readUInt8(0) >>> 4 !== 6) return undefined
  const whole = packet.subarray(0, 40 + packet.readUInt16BE(4))
  const [sender, receiver] = [whole.subarray(8, 24), whole.subarray(24, 40)]
  if (!isSingle6(sender) || receiver.readUInt8(0) === 0xff) return undefined
  const inner = innermost(whole)
  if (inner === undefined) return undefined
  const { protocol, at } = inner
  if (protocol === ICMP6 && (refused.fault === 'no_port' || whole.length <= at || isError6(whole.readUInt8(at)))) return undefined
  if (refused.fault === 'no_port' && !WITH_PORTS.has(protocol)) return undefined
  const source = nearest(refused.sources, sender)
  if (source === undefined) return undefined
  const [type, code] = SAID[refused.fault][1]
  const icmp = Buffer.alloc(8)
  icmp.writeUInt8(type, 0)
  icmp.writeUInt8(code, 1)
  if (refused.fault === 'too_big') icmp.writeUInt32BE(refused.mtu, 4)
  // As much of it as any link carries (RFC 4443, 3).
  const body = Buffer.concat([icmp, whole.subarray(0, 1280 - 48)])
  const ip = Buffer.alloc(40)
  ip.writeUInt32BE(0x60000000, 0)
  ip.writeUInt16BE(body.length, 4)
  ip.writeUInt8(ICMP6, 6)
  ip.writeUInt8(TTL, 7)
  source.copy(ip, 8)
  sender.copy(ip, 24)
  body.writeUInt16BE(0xffff - icmp6Sum(ip.subarray(8), body), 2)
  return framed(refused, IPV6, [ip, body])
}

/** What the packet carries behind its extension headers. Undefined: it is a later fragment, or ends before that is told. */
function innermost(packet: Buffer): { readonly protocol: number; readonly at: number } | undefined {
  let protocol = packet.readUInt8(6)
  let at = 40
  while (EXTENSION_HEADERS.has(protocol) || protocol === FRAGMENT_HEADER) {
    if (at + 8 > packet.length) return undefined
    if (protocol === FRAGMENT_HEADER && (packet.readUInt16BE(at + 2) & 0xfff8) !== 0) return undefined
    const length = protocol === FRAGMENT_HEADER ? 8 : (packet.readUInt8(at + 1) + 1) * 8
    protocol = packet.readUInt8(at)
    at += length
  }
  return { protocol, at }
}

/** Not 0.0.0.0/8, 127.0.0.0/8, a group, or what lies above. */
function isSingle4(address: Buffer): boolean {
  const first = address.readUInt8(0)
  return first !== 0 && first !== 127 && first < 224
}

/** Not `::`, `::1` or a group. */
function isSingle6(address: Buffer): boolean {
  return address.readUInt8(0) !== 0xff && (address.subarray(0, 15).some((byte) => byte !== 0) || address.readUInt8(15) > 1)
}

/** Errors are the lower half; 137 is a redirect. */
function isError6(type: number): boolean {
  return type < 128 || type === 137
}

/** The address whose prefix holds the other one; the first, where none does. */
function nearest(sources: Buffer, other: Buffer): Buffer | undefined {
  const size = other.length + 1
  let first: Buffer | undefined
  for (let at = 0; at + size <= sources.length; at += size) {
    const address = sources.subarray(at, at + other.length)
    if (sharesPrefix(address, other, sources.readUInt8(at + other.length))) return address
    first ??= address
  }
  return first
}

function sharesPrefix(a: Buffer, b: Buffer, length: number): boolean {
  const bytes = length >>> 3
  if (bytes > a.length || !a.subarray(0, bytes).equals(b.subarray(0, bytes))) return false
  const rest = length & 7
  return rest === 0 || (a.readUInt8(bytes) ^ b.readUInt8(bytes)) >>> (8 - rest) === 0
}

function framed({ from, to }: Refused, type: number, parts: readonly Buffer[]): Buffer {
  return Buffer.concat([to, from, Buffer.from([type >>> 8, type & 0xff]), ...parts])
}
