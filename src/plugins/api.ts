import { extensionOf } from '../kinds/extension.ts'
import { NOTHING } from '../kinds/kind.ts'
import { globalMtu, physicalMtu } from '../kinds/network/mtu.ts'
import { ipPool, macPool, uniquePool } from '../kinds/pools.ts'
import { cidrContains, parseCidr } from '../lib/cidr.ts'
import { canonicalIp, parseIp } from '../lib/ip.ts'
import { canonicalMac, isMulticastMac } from '../lib/mac.ts'
import { displayKey, keyParts, makeKey } from '../model/key.ts'
import { FABRIC, hostScope, intentKey, networkScope } from '../model/scope.ts'
import { DEFAULT_PRIORITY } from './callbacks.ts'
import type { Plugin } from './plugin.ts'

// Everything an author may want to name; a module is checked against these without Netloom at run time.
export type { AttributeExtension } from '../kinds/extension.ts'
export type { KindDefinition, Pools, View } from '../kinds/kind.ts'
export type { TypeDriver } from '../kinds/network/type-driver.ts'
export type { MechanismDriver } from '../kinds/port/mechanism-driver.ts'
export type { Finding } from '../model/issue.ts'
export type { Declared, Resource } from '../model/resource.ts'
export type { Subscription } from './callbacks.ts'
export type { Plugin } from './plugin.ts'

/** What a third party's module exports as `plugin`: a plugin, or what makes one from the API. */
export type PluginModule = Plugin | ((api: PluginApi) => Plugin)

/** What a third party's plugin is handed, so that it needs no import of ours at run time. */
export const PLUGIN_API: PluginApi = {
  makeKey,
  keyParts,
  displayKey,
  intentKey,
  hostScope,
  networkScope,
  FABRIC,
  NOTHING,
  DEFAULT_PRIORITY,
  extensionOf,
  ipPool,
  macPool,
  uniquePool,
  parseIp,
  canonicalIp,
  parseCidr,
  cidrContains,
  canonicalMac,
  isMulticastMac,
  globalMtu,
  physicalMtu,
}

export interface PluginApi {
  /** Identities: kind + project + name. */
  readonly makeKey: typeof makeKey
  readonly keyParts: typeof keyParts
  readonly displayKey: typeof displayKey
  /** Where intents stand, and what they are called there. */
  readonly intentKey: typeof intentKey
  readonly hostScope: typeof hostScope
  readonly networkScope: typeof networkScope
  readonly FABRIC: typeof FABRIC
  /** What `lower` returns when there is nothing to do. */
  readonly NOTHING: typeof NOTHING
  readonly DEFAULT_PRIORITY: number
  /** What an extension's attributes resolved to in a resource. */
  readonly extensionOf: typeof extensionOf
  /** Names of the core's pools, to take from what ports take from; `uniquePool` makes one of your own. */
  readonly ipPool: typeof ipPool
  readonly macPool: typeof macPool
  readonly uniquePool: typeof uniquePool
  /** Addresses, strictly read. */
  readonly parseIp: typeof parseIp
  readonly canonicalIp: typeof canonicalIp
  readonly parseCidr: typeof parseCidr
  readonly cidrContains: typeof cidrContains
  readonly canonicalMac: typeof canonicalMac
  readonly isMulticastMac: typeof isMulticastMac
  /** For type drivers: what the hosts' links and a physical network carry. */
  readonly globalMtu: typeof globalMtu
  readonly physicalMtu: typeof physicalMtu
}
