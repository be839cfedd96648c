import type { Key } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import { BRIDGE } from './names.ts'
import type { MeterValue } from './values.ts'

/**
 * A meter holds frames against a rate and drops what is over it. It carries neither cookie nor name, so its number says whose it is: ours lie from here on, far
 * above where people and other programs begin to count, and below what datapaths offer (userspace 262,144, Linux up to 200,000).
 */
export const OWN_METERS = { first: 0x1_0000, size: 0x1_0000 } as const

export function isOwnMeter(number: number): boolean {
  return number >= OWN_METERS.first && number < OWN_METERS.first + OWN_METERS.size
}

/** As OpenFlow has it; ours have one band that drops. */
export interface MeterConfig {
  readonly meter: number
  readonly unit: 'kbps' | 'pktps'
  readonly stats?: boolean
  readonly bands: readonly {
    readonly type: 'drop' | 'dscp_remark'
    readonly rate: number
    readonly burst?: number
    readonly prec_level?: number
  }[]
}

export function meterItem(owners: readonly Key[], config: MeterConfig): Item {
  const value: MeterValue = { kind: 'meter', bridge: BRIDGE, config }
  return { key: meterKey(config.meter), owners, text: meterText(config), value }
}

/** `meter br-int 65537` */
export function meterKey(number: number): string {
  return `meter ${BRIDGE} ${number}`
}

/** One `field=value` a line, sorted: a plan and a report of drift name what differs. */
export function meterText({ unit, stats, bands }: MeterConfig): string {
  const several = bands.length > 1
  const lines = bands.flatMap(({ type, rate, burst, prec_level }, i) => {
    const name = (field: string): string => (several ? `band ${i + 1} ${field}` : field)
    return [
      `${name('rate')}=${rate}`,
      ...(burst === undefined ? [] : [`${name('burst')}=${burst}`]),
      ...(type === 'drop' ? [] : [`${name('remark')}=${prec_level ?? 0}`]),
    ]
  })
  return [...lines, `unit=${unit}`, ...(stats === true ? ['stats=true'] : [])].sort().join('\n')
}
