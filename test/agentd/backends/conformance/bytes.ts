import type { Body, Frame, Icmp6 } from '../../../../agentd/backends/fake/frame.ts'
import { parseIp } from '../../../../src/lib/ip.ts'
import { macValue } from '../../../../src/lib/mac.ts'

/** A frame as it stands on the wire, hex digits, checksums included. */
export function frameHex(frame: Frame): string {
  const tag = frame.vlan === undefined ? '' : `8100${hex(frame.vlan, 2)}`
  const { ethertype, payload } = bodyBytes(frame.body)
  const bytes = Buffer.from(mac(frame.dst) + mac(frame.src) + tag + hex(ethertype, 2) + payload.toString('hex'), 'hex')
  return Buffer.concat([bytes, Buffer.alloc(Math.max(0, 60 - bytes.length))]).toString('hex')
}

function bodyBytes(body: Body): { ethertype: number; payload: Buffer } {
  switch (body.type) {
    case 'arp':
      return {
        ethertype: 0x0806,
        payload: Buffer.from(`000108000604${hex(body.op, 2)}${mac(body.sha)}${ip(body.spa)}${mac(body.tha)}${ip(body.tpa)}`, 'hex'),
      }
    case 'rarp':
      return { ethertype: 0x8035, payload: Buffer.from(`0001080006040003${mac(body.sha)}00000000${mac(body.sha)}00000000`, 'hex') }
    case 'udp':
      return ipPacket(body.src, body.dst, 17, Buffer.from(`${hex(body.sport, 2)}${hex(body.dport, 2)}000c000061626364`, 'hex'), 6)
    case 'tcp':
      return ipPacket(
        body.src,
        body.dst,
        6,
        Buffer.from(`${hex(body.sport, 2)}${hex(body.dport, 2)}00000001000000005002ffff00000000`, 'hex'),
        16,
      )
    case 'icmp':
      return ipPacket(body.src, body.dst, 1, Buffer.from(`${hex(body.kind, 1)}00000000010001`, 'hex'), 2)
    case 'icmp6':
      return ipPacket(body.src, body.dst, 58, icmp6Bytes(body), 2, MLD.has(body.kind) ? 1 : 255)
    case 'other':
      return { ethertype: body.ethertype, payload: Buffer.alloc(46) }
  }
}

function icmp6Bytes(body: Icmp6): Buffer {
  const isNd = body.kind === 135 || body.kind === 136
  const target = isNd ? ip(body.target ?? '::') : ''
  const sll = body.sll === undefined ? '' : `0101${mac(body.sll)}`
  const tll = body.tll === undefined ? '' : `0201${mac(body.tll)}`
  return Buffer.from(`${hex(body.kind, 1)}00000000000000${target}${sll}${tll}`, 'hex')
}

/** It is to live for one hop (RFC 3810, 5). */
const MLD: ReadonlySet<number> = new Set([130, 131, 132, 143])

/** `sumAt`: where in the payload its checksum stands. */
function ipPacket(
  src: string,
  dst: string,
  proto: number,
  payload: Buffer,
  sumAt: number,
  hops = 255,
): { ethertype: number; payload: Buffer } {
  const v6 = src.includes(':')
  const addresses = ip(src) + ip(dst)
  const pseudo =
    proto === 1
      ? Buffer.alloc(0)
      : Buffer.from(
          `${addresses}${v6 ? `${hex(payload.length, 4)}000000` : '00'}${hex(proto, 1)}${v6 ? '' : hex(payload.length, 2)}`,
          'hex',
        )
  payload.writeUInt16BE(checksum(Buffer.concat([pseudo, payload])), sumAt)
  if (v6)
    return {
      ethertype: 0x86dd,
      payload: Buffer.concat([Buffer.from(`60000000${hex(payload.length, 2)}${hex(proto, 1)}${hex(hops, 1)}${addresses}`, 'hex'), payload]),
    }
  const header = Buffer.from(`4500${hex(20 + payload.length, 2)}0001000040${hex(proto, 1)}0000${addresses}`, 'hex')
  header.writeUInt16BE(checksum(header), 10)
  return { ethertype: 0x0800, payload: Buffer.concat([header, payload]) }
}

/** RFC 1071. */
export function checksum(bytes: Buffer): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

function mac(text: string): string {
  return macValue(text).toString(16).padStart(12, '0')
}

function ip(text: string): string {
  const parsed = parseIp(text)
  if (parsed === undefined) throw new Error(`${text} is no address`)
  return parsed.value.toString(16).padStart(parsed.family === 4 ? 8 : 32, '0')
}

function hex(value: number, bytes: number): string {
  return value.toString(16).padStart(bytes * 2, '0')
}
