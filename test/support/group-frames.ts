import { ip, mac, u16, u32 } from '../../src/lab/frame-build.ts'
import { internetChecksum } from '../../src/lib/internet-checksum.ts'

/** Frames about multicast groups, as hosts and routers send them. */

export interface Igmp {
  readonly src?: string
  readonly from?: string
  readonly to?: string
  readonly protocol?: number
  readonly fragment?: number
}

export interface Mld {
  readonly from?: string
  readonly to?: string
  readonly hops?: number
}

/** A frame with IGMP in it, all checksums right. */
export function igmp(
  message: Buffer,
  { src = '02:00:00:00:00:01', from = '10.0.0.1', to = '239.1.2.3', protocol = 2, fragment = 0 }: Igmp = {},
): Buffer {
  const body = Buffer.from(message)
  if (protocol === 2) body.writeUInt16BE(internetChecksum(Buffer.concat([body.subarray(0, 2), u16(0), body.subarray(4)])), 2)
  const head = Buffer.concat([
    Buffer.from([0x46, 0xc0]),
    u16(24 + body.length),
    u16(0),
    u16(fragment),
    Buffer.from([1, protocol]),
    u16(0),
    ip(from),
    ip(to),
    u32(0x94040000),
  ])
  head.writeUInt16BE(internetChecksum(head), 10)
  return Buffer.concat([Buffer.from([1, 0, 0x5e]), ip(to).subarray(1), mac(src), u16(0x0800), head, body])
}

/** A frame with MLD in it. */
export function mld(message: Buffer, { from = 'fe80::1', to = 'ff02::16', hops = 1 }: Mld = {}): Buffer {
  const body = Buffer.from(message)
  body.writeUInt16BE(0, 2)
  body.writeUInt16BE(internetChecksum(Buffer.concat([ip(from), ip(to), u32(body.length), u32(58), body])), 2)
  const options = Buffer.from('3a00050200000100', 'hex')
  const head = Buffer.concat([u32(0x60000000), u16(options.length + body.length), Buffer.from([0, hops]), ip(from), ip(to)])
  return Buffer.concat([Buffer.from([0x33, 0x33]), ip(to).subarray(12), mac('02:00:00:00:00:01'), u16(0x86dd), head, options, body])
}

/** What IGMPv1 and v2 say, and the beginning of a question of v3. `tenths`: of a second, within which to answer. */
export function v4(type: number, group: string, tenths = 0): Buffer {
  return Buffer.concat([Buffer.from([type, tenths, 0, 0]), ip(group)])
}

/** What MLDv1 says. */
export function v6(type: number, group: string): Buffer {
  return Buffer.concat([Buffer.from([type, 0, 0, 0, 0, 0, 0, 0]), ip(group)])
}

/** A report of IGMPv3 or MLDv2: records of type, group and sources. */
export function records(type: number, ...list: readonly (readonly [number, string, ...string[]])[]): Buffer {
  const record = ([kind, group, ...sources]: readonly [number, string, ...string[]]): Buffer =>
    Buffer.concat([Buffer.from([kind, 0]), u16(sources.length), ip(group), ...sources.map(ip)])
  return Buffer.concat([Buffer.from([type, 0, 0, 0, 0, 0]), u16(list.length), ...list.map(record)])
}
