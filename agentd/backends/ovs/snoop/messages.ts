import { icmp6Sum, internetChecksum, onesSum } from '../../../../src/lib/internet-checksum.ts'
import { formatIp, type IpFamily, ipBytes, parseIp } from '../../../../src/lib/ip.ts'
import { EXTENSION_HEADERS } from '../../../../src/lib/ip-protocol.ts'

/** What one frame says of multicast groups. */
export type Said =
  /** Somebody asks. `group` absent: about all. `routed`: it has an address, so it may be a router and not just a switch (RFC 4541, 2.1.1). */
  | { readonly kind: 'query'; readonly family: IpFamily; readonly group?: string; readonly seconds?: number; readonly routed: boolean }
  /** Groups whose frames the sender wants, and no longer wants. Sources count for nothing: whoever wants some of them is a member. */
  | { readonly kind: 'report'; readonly family: IpFamily; readonly wants: readonly string[]; readonly leaves: readonly string[] }
  /** A router greets others (PIM). */
  | { readonly kind: 'router'; readonly family: IpFamily }
  /** IGMP that this does not know: it is for everyone (RFC 4541, 2.1.1). */
  | { readonly kind: 'unknown'; readonly family: IpFamily }

const IGMP = 2
const ICMP6 = 58
const PIM = 103

/** Reads an Ethernet frame without VLAN tag. Undefined: it says nothing of groups, or not to a group (nobody else would hear it), or is damaged, cut short or a fragment (RFC 4541, 2.1.1: such is not looked at). Never throws. */
export function readFrame(frame: Buffer): Said | undefined {
  if (frame.length < 14) return undefined
  const type = frame.readUInt16BE(12)
  const packet = frame.subarray(14)
  if (!isToGroup(frame.subarray(0, 6), type, packet)) return undefined
  if (type === 0x0800) return readIp4(packet)
  return type === 0x86dd ? readIp6(packet) : undefined
}

/** The receiver's MAC is that of the group in the packet (RFC 1112, 6.4; RFC 2464, 7). */
function isToGroup(mac: Buffer, type: number, packet: Buffer): boolean {
  if (type === 0x0800) {
    if (packet.length < 20 || packet.readUInt8(16) >> 4 !== 14) return false
    return mac.equals(Buffer.from([0x01, 0x00, 0x5e, packet.readUInt8(17) & 0x7f, packet.readUInt8(18), packet.readUInt8(19)]))
  }
  return (
    packet.length >= 40 && packet.readUInt8(24) === 0xff && mac.equals(Buffer.concat([Buffer.from([0x33, 0x33]), packet.subarray(36, 40)]))
  )
}

function readIp4(b: Buffer): Said | undefined {
  if (b.length < 20 || b.readUInt8(0) >> 4 !== 4) return undefined
  const header = (b.readUInt8(0) & 15) * 4
  const total = b.readUInt16BE(2)
  if (header < 20 || total < header || total > b.length || (b.readUInt16BE(6) & 0x3fff) !== 0) return undefined
  if (onesSum(b.subarray(0, header)) !== 0xffff) return undefined
  const protocol = b.readUInt8(9)
  if (protocol === PIM) return { kind: 'router', family: 4 }
  if (protocol !== IGMP) return undefined
  return readIgmp(b.subarray(header, total), b.readUInt32BE(12) !== 0)
}

/** RFC 1112, 2236 and 3376. */
function readIgmp(b: Buffer, routed: boolean): Said | undefined {
  if (b.length < 8 || onesSum(b) !== 0xffff) return undefined
  const group = groupAt(b, 4, 4)
  switch (b.readUInt8(0)) {
    case 0x11:
      return query(4, b.readUInt32BE(4) === 0 ? undefined : group, routed, b.length >= 12 ? b.readUInt8(9) : undefined)
    case 0x12:
    case 0x16:
      return report(4, group === undefined ? [] : [group], [])
    case 0x17:
      return report(4, [], group === undefined ? [] : [group])
    case 0x22:
      return readRecords(4, b)
    default:
      return { kind: 'unknown', family: 4 }
  }
}

function readIp6(b: Buffer): Said | undefined {
  if (b.length < 40 || b.readUInt8(0) >> 4 !== 6) return undefined
  const end = 40 + b.readUInt16BE(4)
  if (end > b.length) return undefined
  let next = b.readUInt8(6)
  let at = 40
  while (EXTENSION_HEADERS.has(next)) {
    if (at + 8 > end) return undefined
    const length = (b.readUInt8(at + 1) + 1) * 8
    next = b.readUInt8(at)
    at += length
    if (at > end) return undefined
  }
  if (next === PIM) return { kind: 'router', family: 6 }
  // Everything of MLD comes from the link, or from a host that has no address yet (RFC 3590), and goes no further.
  const source = b.subarray(8, 24)
  const onLink = (source.readUInt16BE(0) & 0xffc0) === 0xfe80
  if (next !== ICMP6 || b.readUInt8(7) !== 1 || !(onLink || source.every((byte) => byte === 0))) return undefined
  const body = b.subarray(at, end)
  return icmp6Sum(b.subarray(8, 40), body) === 0xffff ? readMld(body, onLink) : undefined
}

/** RFC 2710 and 3810. */
function readMld(b: Buffer, onLink: boolean): Said | undefined {
  const type = b.length < 8 ? 0 : b.readUInt8(0)
  if (type === 143) return readRecords(6, b)
  if (b.length < 24) return undefined
  const group = groupAt(b, 8, 6)
  switch (type) {
    case 130:
      if (!onLink) return undefined
      return query(6, b.subarray(8, 24).every((byte) => byte === 0) ? undefined : group, true, b.length >= 28 ? b.readUInt8(25) : undefined)
    case 131:
      return report(6, group === undefined ? [] : [group], [])
    case 132:
      return report(6, [], group === undefined ? [] : [group])
    default:
      return undefined
  }
}

/** Types of group records: of a list of included sources, of excluded ones; the others add and take away sources. */
const INCLUDE: ReadonlySet<number> = new Set([1, 3])
const EXCLUDE: ReadonlySet<number> = new Set([2, 4])
const ALLOW = 5

/** The records of an IGMPv3 or MLDv2 report: both have the same head, and addresses of their own family. Undefined when they are not what they say they are. */
function readRecords(family: IpFamily, b: Buffer): Said | undefined {
  const size = family === 4 ? 4 : 16
  const wants: string[] = []
  const leaves: string[] = []
  let at = 8
  for (let left = b.readUInt16BE(6); left > 0; left--) {
    if (at + 4 + size > b.length) return undefined
    const type = b.readUInt8(at)
    const sources = b.readUInt16BE(at + 2)
    const group = groupAt(b, at + 4, family)
    at += 4 + size + sources * size + b.readUInt8(at + 1) * 4
    if (at > b.length) return undefined
    if (group === undefined) continue
    if (INCLUDE.has(type) && sources === 0) leaves.push(group)
    else if (INCLUDE.has(type) || EXCLUDE.has(type) || type === ALLOW) wants.push(group)
  }
  return report(family, wants, leaves)
}

function query(family: IpFamily, group: string | undefined, routed: boolean, code: number | undefined): Said {
  return {
    kind: 'query',
    family,
    routed,
    ...(group === undefined ? {} : { group }),
    ...(code === undefined || code === 0 ? {} : { seconds: fromCode(code) }),
  }
}

/** RFC 3376, 4.1.7 (and RFC 3810, 5.1.9): from 128 on a number with exponent. */
function fromCode(code: number): number {
  return code < 128 ? code : ((code & 15) | 16) << (((code >> 4) & 7) + 3)
}

function report(family: IpFamily, wants: readonly string[], leaves: readonly string[]): Said {
  return { kind: 'report', family, wants, leaves }
}

/** A group that has to be asked for; undefined for one of the link, and for what is no group. */
function groupAt(b: Buffer, at: number, family: IpFamily): string | undefined {
  if (family === 4) {
    const value = b.readUInt32BE(at)
    return value >>> 28 === 14 && value >>> 8 !== 0xe00000 ? formatIp(4, BigInt(value)) : undefined
  }
  const scope = b.readUInt8(at + 1) & 15
  if (b.readUInt8(at) !== 0xff || scope < 3) return undefined
  return formatIp(6, BigInt(`0x${b.subarray(at, at + 16).toString('hex')}`))
}

/** Whether an IGMP message that was sent to a group is for more than routers (`hearingFlows`): questions are, and what nobody here understands. */
export function isForAll(said: Said, frame: Buffer): boolean {
  const asks = said.kind === 'unknown' || (said.kind === 'query' && said.group !== undefined)
  return asks && said.family === 4 && frame.readUInt32BE(30) >>> 8 !== 0xe00000
}

/**
 * The sender of the agent's questions. No address (IPv4), and the highest that a MAC gives (IPv6, where none is not allowed): no router gives way to it (RFC 3376, 6.6.2: the lowest asks).
 */
const SENDER = Buffer.from('feffffffffff', 'hex')
const SENDER6 = Buffer.from('fe80000000000000fcfffffffeffffff', 'hex')

/** A whole frame that asks for members: of one group, or of all. `seconds`: within which to answer. `interval`: until it is asked again. */
export function makeQuery(family: IpFamily, { group, seconds, interval }: QueryOptions): Buffer {
  const to = group === undefined ? undefined : addressBytes(group)
  return family === 4 ? makeIgmpQuery(to, seconds, interval) : makeMldQuery(to, seconds, interval)
}

export interface QueryOptions {
  readonly group?: string
  readonly seconds: number
  readonly interval: number
}

function makeIgmpQuery(group: Buffer | undefined, seconds: number, interval: number): Buffer {
  const to = group ?? Buffer.from([224, 0, 0, 1])
  const igmp = Buffer.alloc(12)
  igmp.writeUInt8(0x11, 0)
  igmp.writeUInt8(Math.max(1, Math.min(127, Math.round(seconds * 10))), 1)
  group?.copy(igmp, 4)
  igmp.writeUInt8(ROBUSTNESS, 8)
  igmp.writeUInt8(toCode(interval), 9)
  igmp.writeUInt16BE(internetChecksum(igmp), 2)
  // With the router alert option (RFC 2113), to live for one hop.
  const ip = Buffer.from('46c000240000000001020000000000000000000094040000', 'hex')
  to.copy(ip, 16)
  ip.writeUInt16BE(internetChecksum(ip), 10)
  const mac = Buffer.from([0x01, 0x00, 0x5e, to.readUInt8(1) & 0x7f, to.readUInt8(2), to.readUInt8(3)])
  return Buffer.concat([mac, SENDER, Buffer.from([0x08, 0x00]), ip, igmp])
}

function makeMldQuery(group: Buffer | undefined, seconds: number, interval: number): Buffer {
  const to = group ?? Buffer.from('ff020000000000000000000000000001', 'hex')
  const mld = Buffer.alloc(28)
  mld.writeUInt8(130, 0)
  mld.writeUInt16BE(Math.max(1, Math.min(32767, Math.round(seconds * 1000))), 4)
  group?.copy(mld, 8)
  mld.writeUInt8(ROBUSTNESS, 24)
  mld.writeUInt8(toCode(interval), 25)
  const addresses = Buffer.concat([SENDER6, to])
  mld.writeUInt16BE(0xffff - icmp6Sum(addresses, mld), 2)
  // Hop-by-hop options: router alert for MLD (RFC 2711), and two bytes to fill up.
  const hops = Buffer.from('3a00050200000100', 'hex')
  const ip = Buffer.alloc(8)
  ip.writeUInt32BE(0x60000000, 0)
  ip.writeUInt16BE(hops.length + mld.length, 4)
  ip.writeUInt8(1, 7)
  const mac = Buffer.concat([Buffer.from([0x33, 0x33]), to.subarray(12)])
  return Buffer.concat([mac, SENDER, Buffer.from([0x86, 0xdd]), ip, addresses, hops, mld])
}

/** How many questions in a row may be lost (RFC 3376, 8.1). */
export const ROBUSTNESS = 2

/** The other way round; rounded down where it does not fit. */
function toCode(seconds: number): number {
  const value = Math.min(31744, Math.round(seconds))
  if (value < 128) return value
  const exponent = 31 - Math.clz32(value) - 7
  return 0x80 | (exponent << 4) | ((value >> (exponent + 3)) & 15)
}

function addressBytes(text: string): Buffer {
  const ip = parseIp(text)
  if (ip === undefined) throw new Error(`${text} is no address`)
  return ipBytes(ip)
}
