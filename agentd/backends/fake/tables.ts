import { canonicalJson } from '../../../src/lib/json.ts'
import type { AllowedAddress, GroupRule, TunnelType } from '../../../src/model/intent.ts'
import type { Key } from '../../../src/model/key.ts'
import type { Item } from '../backend.ts'

/** What the model switch keeps: five tables, an entry each per item. */
export type FakeEntry = Attachment | Segment | Location | Group | Remote

/** A port plugged into this switch. */
export interface Attachment {
  readonly table: 'attachment'
  readonly port: Key
  /** `domainOf`: a network, or one segment of it. */
  readonly network: string
  /** A number this backend chose, so that allocations are exercised. */
  readonly slot: number
  readonly mac: string
  readonly port_security_enabled: boolean
  readonly allowed: readonly AllowedAddress[]
  /** Security groups; absent: it is under no rules. */
  readonly groups?: readonly Key[]
}

/** A network of which this switch has a port. */
export interface Segment {
  readonly table: 'segment'
  readonly network: string
  readonly carrier: Carrier
}

export type Carrier =
  | { readonly by: 'nothing' }
  /** `peers`: host → address, of the hosts that have a port of the network. */
  | { readonly by: 'tunnel'; readonly type: TunnelType; readonly key: number; readonly peers: Readonly<Record<string, string>> }
  | { readonly by: 'provider'; readonly bridge: string; readonly vlan?: number }

/** A port of the network, wherever it lives. */
export interface Location {
  readonly table: 'location'
  readonly port: Key
  readonly network: string
  readonly mac: string
  readonly ips: readonly string[]
  /** `here`, or the host it lives on. */
  readonly at: { readonly here: true } | { readonly host: string }
  readonly up: boolean
  readonly port_security_enabled: boolean
  /** MACs it may use besides its own. */
  readonly other_macs: readonly string[]
}

/** A security group that a port here is in. */
export interface Group {
  readonly table: 'group'
  readonly group: Key
  readonly stateful: boolean
  readonly rules: readonly GroupRule[]
}

/** A group or address group that a rule speaks of, with its addresses. */
export interface Remote {
  readonly table: 'remote'
  readonly remote: Key
  readonly prefixes: readonly string[]
}

export function fakeItem(owner: Key, entry: FakeEntry): Item {
  return { key: `${entry.table} ${subjectOf(entry)}`, owners: [owner], text: canonicalJson(entry), value: entry }
}

function subjectOf(entry: FakeEntry): string {
  switch (entry.table) {
    case 'segment':
      return entry.network
    case 'group':
      return entry.group
    case 'remote':
      return entry.remote
    default:
      return entry.port
  }
}

export function isFakeEntry(value: unknown): value is FakeEntry {
  return typeof value === 'object' && value !== null && 'table' in value
}
