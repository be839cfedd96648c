import { icmp6Sum } from '../../../../src/lib/internet-checksum.ts'
import { ipBytes } from '../../../../src/lib/ip.ts'
import { formatMac, linkLocalAddress } from '../../../../src/lib/mac.ts'

/** What one router says of itself: an advertisement with 0 for its checksum, whose first option is the router's MAC (`compile/adverts.ts`). */
export type AdvertBody = Buffer

/** What a flow holds: bodies one after the other, each behind its length in two bytes. */
export function readAdverts(data: Buffer): readonly AdvertBody[] {
  const out: AdvertBody[] = []
  for (let at = 0; at + 2 <= data.length; ) {
    const length = data.readUInt16BE(at)
    const body = data.subarray(at + 2, at + 2 + length)
    if (body.length === length && length >= LEAST) out.push(body)
    at += 2 + length
  }
  return out
}

/** Header and the option with the MAC. */
const LEAST = 24
const ALL_NODES = { mac: Buffer.from('333300000001', 'hex'), ip: Buffer.from('ff020000000000000000000000000001', 'hex') }

/** Who asked. Without an address (`::`) the answer goes to all. */
export interface Asker {
  readonly mac: Buffer
  readonly ip: Buffer
}

/** A whole frame. `asker` absent: to all. `over`: the router is one no longer. */
export function advertFrame(body: AdvertBody, { asker, over = false }: { readonly asker?: Asker; readonly over?: boolean } = {}): Buffer {
  const to = asker === undefined || asker.ip.every((byte) => byte === 0) ? ALL_NODES : asker
  const said = Buffer.from(body)
  if (over) said.writeUInt16BE(0, 6)
  const mac = said.subarray(18, 24)
  const from = ipBytes({ family: 6, value: linkLocalAddress(formatMac(mac.readUIntBE(0, 6))) })
  const header = Buffer.from([0x60, 0, 0, 0, said.length >>> 8, said.length & 255, 58, 255])
  said.writeUInt16BE(0xffff - icmp6Sum(Buffer.concat([from, to.ip]), said), 2)
  return Buffer.concat([to.mac, mac, Buffer.from([0x86, 0xdd]), header, from, to.ip, said])
}

/** Who sent a solicitation. Undefined: it is none that may be answered (RFC 4861, 6.1.1). */
export function askerOf(frame: Buffer): Asker | undefined {
  if (frame.length < 62 || frame.readUInt16BE(12) !== 0x86dd || frame.readUInt8(20) !== 58 || frame.readUInt8(21) !== 255) return undefined
  return { mac: frame.subarray(6, 12), ip: frame.subarray(22, 38) }
}
