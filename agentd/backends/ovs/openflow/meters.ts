import type { ByteWriter } from './bytes.ts'

/** Meters: OpenFlow 1.4, 7.3.4.4. They limit what flows with `meter:N` may send. They cannot be in a bundle. */
export interface Meter {
  readonly meter: number
  /** What rates count: kilobits per second, or packets per second. */
  readonly unit: 'kbps' | 'pktps'
  readonly stats?: boolean
  readonly bands: readonly MeterBand[]
}

export interface MeterBand {
  readonly type: 'drop' | 'dscp_remark'
  readonly rate: number
  /** Kilobits or packets; absent: OVS's own choice. */
  readonly burst?: number
  /** For `dscp_remark`. */
  readonly prec_level?: number
}

export type MeterCommand = 'add' | 'modify' | 'delete'
const COMMANDS: readonly MeterCommand[] = ['add', 'modify', 'delete']
const BAND_BYTES = 16

export function putMeterMod(w: ByteWriter, command: MeterCommand, meter: Meter): void {
  const burst = meter.bands.some((band) => band.burst !== undefined)
  w.u16(COMMANDS.indexOf(command))
  w.u16((meter.unit === 'kbps' ? 1 : 2) | (burst ? 4 : 0) | (meter.stats ? 8 : 0))
  w.u32(meter.meter)
  if (command === 'delete') return
  for (const band of meter.bands) {
    w.u16(band.type === 'drop' ? 1 : 2)
    w.u16(BAND_BYTES)
    w.u32(band.rate)
    w.u32(band.burst ?? 0)
    w.u8(band.prec_level ?? 0)
    w.zeros(3)
  }
}

export function readMeterConfigs(b: Buffer): Meter[] {
  const meters: Meter[] = []
  for (let at = 0; at + 8 <= b.length; ) {
    const length = Math.max(b.readUInt16BE(at), 8)
    const flags = b.readUInt16BE(at + 2)
    const bands: MeterBand[] = []
    for (let i = at + 8; i + BAND_BYTES <= at + length; i += BAND_BYTES) bands.push(readBand(b, i, (flags & 4) !== 0))
    meters.push({
      meter: b.readUInt32BE(at + 4),
      unit: (flags & 1) !== 0 ? 'kbps' : 'pktps',
      ...((flags & 8) !== 0 ? { stats: true } : {}),
      bands,
    })
    at += length
  }
  return meters
}

function readBand(b: Buffer, at: number, burst: boolean): MeterBand {
  const remark = b.readUInt16BE(at) === 2
  return {
    type: remark ? 'dscp_remark' : 'drop',
    rate: b.readUInt32BE(at + 4),
    ...(burst ? { burst: b.readUInt32BE(at + 8) } : {}),
    ...(remark ? { prec_level: b.readUInt8(at + 12) } : {}),
  }
}

export interface MeterStats {
  readonly meter: number
  /** Flows that use it. */
  readonly flows: number
  readonly packets: number
  readonly bytes: number
  /** By band: what was over the rate. */
  readonly bands: readonly { readonly packets: number; readonly bytes: number }[]
}

export function readMeterStats(b: Buffer): MeterStats[] {
  const stats: MeterStats[] = []
  const count = (at: number): number => Number(b.readBigUInt64BE(at))
  for (let at = 0; at + 40 <= b.length; ) {
    const length = Math.max(b.readUInt16BE(at + 4), 40)
    const bands: { packets: number; bytes: number }[] = []
    for (let i = at + 40; i + 16 <= at + length; i += 16) bands.push({ packets: count(i), bytes: count(i + 8) })
    stats.push({ meter: b.readUInt32BE(at), flows: b.readUInt32BE(at + 12), packets: count(at + 16), bytes: count(at + 24), bands })
    at += length
  }
  return stats
}

/** 0 meters: the datapath has none. */
export function readMeterFeatures(b: Buffer): { readonly max: number; readonly bands: number } {
  return { max: b.readUInt32BE(0), bands: b.readUInt8(12) }
}
