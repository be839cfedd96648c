import type { AttributeExtension } from '../kinds/extension.ts'
import type { KindDefinition } from '../kinds/kind.ts'
import type { TypeDriver } from '../kinds/network/type-driver.ts'
import type { MechanismDriver } from '../kinds/port/mechanism-driver.ts'
import type { JsonObject } from '../model/brand.ts'
import type { Subscription } from './callbacks.ts'

/**
 * What a plugin is: a value, no code runs when it is loaded. The core plugin brings the core kinds; service plugins add kinds, attributes, drivers and callbacks
 * (Neutron's `core_plugin` and `service_plugins`). Third-party modules export one as `plugin`, or a function from `PluginApi` to one.
 */
export interface Plugin {
  /** As in the site file. */
  readonly name: string
  readonly role: 'core' | 'service'
  readonly summary: string
  /** Service types it implements, upper case; each type has one implementation in a running server (`CORE`, `QOS`, `L3_ROUTER_NAT`, …). */
  readonly provides: readonly string[]
  /** Names of plugins or service types that must be there. Built-in ones are loaded by themselves. */
  readonly requires?: readonly string[]
  readonly extensions: readonly Extension[]
  /** Aliases of others that are not true any more once this plugin runs. The operator has to give each up (`overrides`), or the plugin. */
  readonly cannot?: readonly Inability[]
  /** Made from the drivers of all plugins, so that a kind can offer what they bring. */
  kinds?(drivers: Drivers): readonly OwnedKind[]
  readonly attributes?: readonly AttributeExtension[]
  readonly computed?: readonly ComputedAttributes[]
  readonly type_drivers?: readonly TypeDriver[]
  readonly mechanism_drivers?: readonly MechanismDriver[]
  readonly subscriptions?: readonly Subscription[]
  /** Roles of the hosts that its intents reach (`l2`, `dhcp`, `l3`, … or one of its own): a host says in YAML which it has. Empty: `l2`. */
  readonly agent_roles: readonly string[]
}

/** What the API calls an extension: an alias that says that something can be relied on. Neutron's aliases where it has one. */
export interface Extension {
  readonly alias: string
  readonly summary: string
  /** Aliases it builds on. */
  readonly requires?: readonly string[]
  /** Attributes that the plugin's own kinds have because of it, such as `network.mtu`: where it is off they cannot be written. None may be required. */
  readonly covers?: readonly string[]
}

/** A promise that a plugin cannot keep. */
export interface Inability {
  readonly alias: string
  /** One clause, such as `its switches carry 1500 bytes`. */
  readonly why: string
}

/** Attributes of every kind that nobody writes: worked out of the resource's history when it is shown. */
export interface ComputedAttributes {
  /** The alias that brings them. */
  readonly alias: string
  readonly names: readonly string[]
  of(life: Life): JsonObject
}

/** The revision that made a resource (or made it anew), and each that changed it since; oldest first. */
export type Life = readonly Version[]

export interface Version {
  readonly revision: number
  /** ISO 8601, when it was committed. */
  readonly at: string
}

export interface OwnedKind {
  /** The alias that brings it. */
  readonly alias: string
  readonly definition: KindDefinition
}

/** Drivers that are on, in the site's order, and what else plugins bring that kinds offer. */
export interface Drivers {
  readonly types: ReadonlyMap<string, TypeDriver>
  readonly mechanisms: readonly MechanismDriver[]
  /** Roles that some plugin addresses; `l2` first. */
  readonly roles: readonly string[]
}
