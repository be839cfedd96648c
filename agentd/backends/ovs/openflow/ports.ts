import { formatMac } from '../../../../src/lib/mac.ts'
import { portFromWire } from './constants.ts'

/** A port of the bridge, as OpenFlow sees it. */
export interface PortDescription {
  readonly port: number
  readonly name: string
  readonly mac: string
  /** Switched off by configuration. */
  readonly down: boolean
  /** Its link has no carrier. */
  readonly link_down: boolean
}

export function readPorts(b: Buffer): PortDescription[] {
  const ports: PortDescription[] = []
  for (let at = 0; at + 40 <= b.length; at += Math.max(b.readUInt16BE(at + 4), 40)) ports.push(readPort(b, at))
  return ports
}

/** An ofp_port at `at`. */
export function readPort(b: Buffer, at: number): PortDescription {
  const name = b.toString('utf8', at + 16, at + 32)
  return {
    port: portFromWire(b.readUInt32BE(at)),
    name: name.slice(0, name.indexOf('\0') < 0 ? undefined : name.indexOf('\0')),
    mac: formatMac(b.readUIntBE(at + 8, 6)),
    down: (b.readUInt32BE(at + 32) & 1) !== 0,
    link_down: (b.readUInt32BE(at + 36) & 1) !== 0,
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
