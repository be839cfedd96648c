import { canonicalJson } from '../../../src/lib/json.ts'
import type { AllowedAddress, GroupRule, QosIntent, TunnelType } from '../../../src/model/intent.ts'
import type { Key } from '../../../src/model/key.ts'
import type { Item } from '../backend.ts'
import type { Arrival, Departure } from './frame.ts'

/** What the model switch keeps: seven tables, an entry each per item. */
export type FakeEntry = Attachment | Segment | Location | Group | Remote | Listener | Router

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
  /** What it is held back to, and marked with. The model has no clock and lets everything pass that a rate might. */
  readonly qos?: Omit<QosIntent, 'type' | 'policy'>
}

/** A network of which this switch has a port, or that such a port reaches through routers. */
export interface Segment {
  readonly table: 'segment'
  readonly network: string
  /** Without its segment, where it has several. */
  readonly whole: Key
  readonly carrier: Carrier
}

export type Carrier =
  | { readonly by: 'nothing' }
  /** Host → address: `peers`, of the hosts that have a port of the network; `senders`, of these and of those who route into it. */
  | {
      readonly by: 'tunnel'
      readonly type: TunnelType
      readonly key: number
      readonly peers: Readonly<Record<string, string>>
      readonly senders: Readonly<Record<string, string>>
    }
  | { readonly by: 'provider'; readonly bridge: string; readonly vlan?: number }

/** A port of the network, wherever it lives. */
export interface Location {
  readonly table: 'location'
  readonly port: Key
  readonly network: string
  readonly mac: string
  readonly ips: readonly string[]
  /** `here`, or the host it lives on; two while it moves. */
  readonly at: readonly Place[]
  readonly up: boolean
  readonly port_security_enabled: boolean
  /** MACs it may use besides its own. */
  readonly other_macs: readonly string[]
}

export type Place = { readonly here: true } | { readonly host: string }

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
  /** Of a group: which port has which of them. */
  readonly members: Readonly<Record<Key, readonly string[]>> | null
}

/** Who gets copies of what ports here send and receive, or of what other hosts copy for a port here. */
export interface Listener {
  readonly table: 'listener'
  /** A tap service; a mirror with one of its numbers. */
  readonly listener: string
  readonly sent: readonly Key[]
  readonly received: readonly Key[]
  readonly ways: readonly Departure[]
  /** How copies of other hosts come in. */
  readonly from: readonly Arrival[]
}

/** A router, as it is on every host. */
export interface Router {
  readonly table: 'router'
  readonly router: Key
  readonly up: boolean
  readonly legs: readonly RouterLeg[]
  readonly routes: readonly { readonly destination: string; readonly via: string; readonly network: Key }[]
}

export interface RouterLeg {
  readonly network: Key
  readonly mac: string
  /** With prefix length. */
  readonly addresses: readonly string[]
  readonly linkLocal: string
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
    case 'listener':
      return entry.listener
    case 'router':
      return entry.router
    default:
      return entry.port
  }
}

export function isFakeEntry(value: unknown): value is FakeEntry {
  return typeof value === 'object' && value !== null && 'table' in value
}
