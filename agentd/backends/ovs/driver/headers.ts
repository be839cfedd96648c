import { formatIp } from '../../../../src/lib/ip.ts'
import { EXTENSION_HEADERS, FRAGMENT_HEADER, WITH_PORTS } from '../../../../src/lib/ip-protocol.ts'
import { formatMac } from '../../../../src/lib/mac.ts'
import type { PacketEntry } from '../../../../src/model/log-entry.ts'

/** What the headers of an IP packet say, as far as they are there. */
export type Headers = Pick<
  PacketEntry,
  'ethertype' | 'protocol' | 'src' | 'dst' | 'src_port' | 'dst_port' | 'icmp_type' | 'icmp_code' | 'src_mac' | 'dst_mac'
>

const VLAN = 0x8100
const IPV4 = 0x0800
const IPV6 = 0x86dd
const ICMP: ReadonlySet<number> = new Set([1, 58])

/** Reads a frame that may be cut. Undefined: it is no IP, or ends before its addresses. */
export function readHeaders(frame: Buffer): Headers | undefined {
  if (frame.length < 14) return undefined
  const tag = frame.readUInt16BE(12) === VLAN ? 4 : 0
  if (frame.length < 14 + tag) return undefined
  const macs = { src_mac: formatMac(frame.readUIntBE(6, 6)), dst_mac: formatMac(frame.readUIntBE(0, 6)) }
  const packet = frame.subarray(14 + tag)
  const type = frame.readUInt16BE(12 + tag)
  const read = type === IPV4 ? readIpv4(packet) : type === IPV6 ? readIpv6(packet) : undefined
  return read === undefined ? undefined : { ...read, ...macs }
}

type Read = Omit<Headers, 'src_mac' | 'dst_mac'>

function readIpv4(packet: Buffer): Read | undefined {
  if (packet.length < 20) return undefined
  const protocol = packet.readUInt8(9)
  const later = (packet.readUInt16BE(6) & 0x1fff) !== 0
  return {
    ethertype: 'IPv4',
    protocol,
    src: ipv4(packet, 12),
    dst: ipv4(packet, 16),
    ...(later ? {} : about(protocol, packet.subarray((packet.readUInt8(0) & 0xf) * 4))),
  }
}

function readIpv6(packet: Buffer): Read | undefined {
  if (packet.length < 40) return undefined
  let protocol = packet.readUInt8(6)
  let at = 40
  let later = false
  while (at + 8 <= packet.length && (EXTENSION_HEADERS.has(protocol) || protocol === FRAGMENT_HEADER)) {
    if (protocol === FRAGMENT_HEADER) later ||= (packet.readUInt16BE(at + 2) & 0xfff8) !== 0
    const length = protocol === FRAGMENT_HEADER ? 8 : (packet.readUInt8(at + 1) + 1) * 8
    protocol = packet.readUInt8(at)
    at += length
  }
  return {
    ethertype: 'IPv6',
    protocol,
    src: ipv6(packet, 8),
    dst: ipv6(packet, 24),
    ...(later ? {} : about(protocol, packet.subarray(at))),
  }
}

/** Ports, or ICMP type and code. */
function about(protocol: number, rest: Buffer): Partial<Headers> {
  if (WITH_PORTS.has(protocol) && rest.length >= 4) return { src_port: rest.readUInt16BE(0), dst_port: rest.readUInt16BE(2) }
  if (ICMP.has(protocol) && rest.length >= 2) return { icmp_type: rest.readUInt8(0), icmp_code: rest.readUInt8(1) }
  return {}
}

function ipv4(b: Buffer, at: number): string {
  return formatIp(4, BigInt(b.readUInt32BE(at)))
}

function ipv6(b: Buffer, at: number): string {
  return formatIp(6, (b.readBigUInt64BE(at) << 64n) | b.readBigUInt64BE(at + 8))
}
