import { FrameSocket } from '../../src/lab/frames.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { netnsPrefix } from '../../src/lab/names.ts'
import { run, runScript } from '../../src/lab/run.ts'
import { layCable } from '../../src/lab/wire.ts'
import { formatIp } from '../../src/lib/ip.ts'

/** A machine on the lab's underlay that is no host of Netloom: it answers ARP and ND for its addresses, and reads what comes. */
export class Collector {
  readonly socket: FrameSocket
  readonly #netns: string

  private constructor(netns: string, socket: FrameSocket) {
    this.#netns = netns
    this.socket = socket
  }

  static async start(lab: Lab, addresses: readonly string[]): Promise<Collector> {
    const netns = `${netnsPrefix(lab.tag)}collector`
    const cable = { segment: 'underlay', wireEnd: 'u-collector', hostEnd: 'eth0', bridge: '', mtu: 1600 }
    await runScript(lab.tag, [
      `ip netns add ${netns}`,
      `nsenter --net=/run/netns/${netns} sh -c 'cd /proc/sys/net/ipv6/conf/default; echo 0 > accept_dad'`,
      ...layCable(lab.tag, lab.wire, lab.dir, cable, netns),
      ...addresses.map((ip) => `ip -n ${netns} addr add ${ip}/${ip.includes(':') ? '64 nodad' : '24'} dev eth0`),
      `ip -n ${netns} link set eth0 up`,
    ])
    return new Collector(netns, await FrameSocket.open(lab, { netns, interface: 'eth0' }))
  }

  async close(): Promise<void> {
    await this.socket.close()
    await run(['ip', 'netns', 'del', this.#netns])
  }

  /** What came packed so far. */
  packed(): readonly Packed[] {
    return this.socket.received().flatMap(({ bytes }) => unpack(bytes) ?? [])
  }
}

/** A frame that came in GRE. */
export interface Packed {
  readonly from: string
  readonly to: string
  readonly type: 'gre' | 'erspanv1'
  /** GRE key; ERSPAN session. */
  readonly id: number
  readonly frame: Buffer
}

/** Reads Ethernet in GRE with a key (RFC 2784, 2890), and ERSPAN type II (draft-foschiano-erspan): GRE with a sequence number, protocol 0x88be, version 1. Undefined: it is something else. */
export function unpack(bytes: Buffer): Packed | undefined {
  const six = bytes.readUInt16BE(12) === 0x86dd
  if (!six && bytes.readUInt16BE(12) !== 0x0800) return undefined
  const [protocol, ip, at] = six ? [bytes[20], 22, 54] : [bytes[23], 26, 14 + ((bytes[14] ?? 0) & 15) * 4]
  if (protocol !== 47) return undefined
  const size = six ? 16 : 4
  const address = (from: number): string => formatIp(six ? 6 : 4, BigInt(`0x${bytes.subarray(from, from + size).toString('hex')}`))
  const ends = { from: address(ip), to: address(ip + size) }
  const end = six ? at + bytes.readUInt16BE(18) : 14 + bytes.readUInt16BE(16)
  const flags = bytes.readUInt16BE(at)
  const inside = bytes.readUInt16BE(at + 2)
  if (inside === 0x6558 && flags === 0x2000)
    return { ...ends, type: 'gre', id: bytes.readUInt32BE(at + 4), frame: bytes.subarray(at + 8, end) }
  if (inside !== 0x88be || flags !== 0x1000 || bytes.readUInt16BE(at + 8) >> 12 !== 1) return undefined
  return { ...ends, type: 'erspanv1', id: bytes.readUInt16BE(at + 10) & 0x3ff, frame: bytes.subarray(at + 16, end) }
}
