import type { Flow } from '../flow/types.ts'
import type { Link } from './links.ts'
import type { MeterConfig } from './meters.ts'
import type { Row } from './rows.ts'

/** What an OVS item holds (`Item.value`). */
export type OvsValue = FlowValue | RowValue | LinkValue | MeterValue | SettingValue

export interface FlowValue {
  readonly kind: 'flow'
  readonly bridge: string
  readonly flow: Flow
}

export interface RowValue {
  readonly kind: 'row'
  readonly row: Row
}

export interface LinkValue {
  readonly kind: 'link'
  readonly link: Link
}

export interface MeterValue {
  readonly kind: 'meter'
  readonly bridge: string
  readonly config: MeterConfig
}

/** Something that another hand set by OpenFlow, which is only ever set back: what a port refuses, or (no port) what is done with fragments. */
export interface SettingValue {
  readonly kind: 'setting'
  readonly bridge: string
  readonly port?: { readonly port: number; readonly mac: string }
}
