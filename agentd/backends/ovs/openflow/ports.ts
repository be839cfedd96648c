import { formatMac, macValue } from '../../../../src/lib/mac.ts'
import type { ByteWriter } from './bytes.ts'
import { portFromWire, portToWire } from './constants.ts'

/** What a port can be told to refuse, by `ovs-ofctl mod-port`: bits of its configuration. (`no-flood` is not among those of OpenFlow 1.4.) */
const REFUSALS = { 'no-receive': 0x04, 'no-forward': 0x20, 'no-packet-in': 0x40 } as const
export type Refusal = keyof typeof REFUSALS
const EVERY_REFUSAL = REFUSALS['no-receive'] | REFUSALS['no-forward'] | REFUSALS['no-packet-in']

/** A port of the bridge, as OpenFlow sees it. */
export interface PortDescription {
  readonly port: number
  readonly name: string
  readonly mac: string
  /** Switched off by configuration. */
  readonly down: boolean
  /** Its link has no carrier. */
  readonly link_down: boolean
  readonly refuses: readonly Refusal[]
}

export function readPorts(b: Buffer): PortDescription[] {
  const ports: PortDescription[] = []
  for (let at = 0; at + 40 <= b.length; at += Math.max(b.readUInt16BE(at + 4), 40)) ports.push(readPort(b, at))
  return ports
}

/** An ofp_port at `at`. */
export function readPort(b: Buffer, at: number): PortDescription {
  const config = b.readUInt32BE(at + 32)
  const name = b.toString('utf8', at + 16, at + 32)
  return {
    port: portFromWire(b.readUInt32BE(at)),
    name: name.slice(0, name.indexOf('\0') < 0 ? undefined : name.indexOf('\0')),
    mac: formatMac(b.readUIntBE(at + 8, 6)),
    down: (config & 1) !== 0,
    link_down: (b.readUInt32BE(at + 36) & 1) !== 0,
    refuses: Object.entries(REFUSALS).flatMap(([name, bit]) => ((config & bit) === 0 ? [] : [name as Refusal])),
  }
}

const REASONS = ['added', 'removed', 'modified'] as const

export interface PortEvent {
  readonly kind: (typeof REASONS)[number]
  readonly port: PortDescription
}

export function readPortStatus(b: Buffer): PortEvent {
  return { kind: REASONS[b.readUInt8(0)] ?? 'modified', port: readPort(b, 8) }
}

/** The body of an ofp_port_mod that ends every refusal of a port, and leaves it up or down as it is. The switch compares its MAC. */
export function putPortAccepts(w: ByteWriter, { port, mac }: Pick<PortDescription, 'port' | 'mac'>): void {
  w.u32(portToWire(port))
  w.zeros(4)
  w.big(BigInt(macValue(mac)), 6)
  w.zeros(2)
  w.u32(0)
  w.u32(EVERY_REFUSAL)
}
