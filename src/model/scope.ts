import { flat } from '../lib/text-flat.ts'
import type { Brand } from './brand.ts'
import type { Intent } from './intent.ts'
import { type Key, keyParts } from './key.ts'

/**
 * A named, versioned set of intents that hosts share: `fabric`, `host/<h>`, `net/<project>/<name>`, `sg/<project>/<name>` (rules of a security group), `members/<project>/<name>`
 * (addresses of its ports), `addresses/<project>/<name>` (an address group), `qos/<project>/<name>` (a QoS policy), `tap/<project>/<name>` (a tap service), `router/<project>/<name>`.
 */
export type Scope = Brand<string, 'Scope'>
/** Unique inside its scope, e.g. `attach port/default/web-1`. */
export type IntentKey = Brand<string, 'IntentKey'>
/**
 * The content of a scope as 32 hex digits: XOR of the first 16 bytes of SHA-256 over `key NUL canonical-JSON` of each intent
 * (`lib/digest`). Order-free and incremental; equal content has an equal version, whatever path led to it.
 */
export type ScopeVersion = Brand<string, 'ScopeVersion'>

export const EMPTY_VERSION: ScopeVersion = '0'.repeat(32) as ScopeVersion

/** Version of every scope a host needs. */
export type Needs = Readonly<Record<Scope, ScopeVersion>>

export const FABRIC: Scope = 'fabric' as Scope
export function hostScope(host: string): Scope {
  return flat('host/', host) as Scope
}
/** Whose own scope it is; undefined for one that hosts share. */
export function scopeHost(scope: Scope): string | undefined {
  return scope.startsWith('host/') ? scope.slice('host/'.length) : undefined
}
/** The part of a shared scope that is for hosts with one of the roles (sorted). */
export function roleScope(roles: readonly string[], scope: Scope): Scope {
  return flat('role/', roles.join('+'), '/', scope) as Scope
}
export function networkScope(network: Key): Scope {
  return scopeOf('net/', network)
}
/** For a host with a port of that group. */
export function groupScope(group: Key): Scope {
  return scopeOf('sg/', group)
}
/** For a host with a port of a group that has a rule about the members of this one. */
export function membersScope(group: Key): Scope {
  return scopeOf('members/', group)
}
/** For a host with a port of a group that has a rule about this address group. */
export function addressesScope(addressGroup: Key): Scope {
  return scopeOf('addresses/', addressGroup)
}
/** For a host with a port under that QoS policy. */
export function qosScope(policy: Key): Scope {
  return scopeOf('qos/', policy)
}
/** For a host with the port of that tap service, or with one of which it gets copies. */
export function tapScope(service: Key): Scope {
  return scopeOf('tap/', service)
}
/** For a host with a port on a network of that router. */
export function routerScope(router: Key): Scope {
  return scopeOf('router/', router)
}
function scopeOf(prefix: string, key: Key): Scope {
  const { project, name } = keyParts(key)
  return flat(prefix, project, '/', name) as Scope
}
export function intentKey(type: Intent['type'], subject: string): IntentKey {
  return flat(type, ' ', subject) as IntentKey
}

/** All intents of one scope at one version. */
export interface ScopeContent {
  readonly version: ScopeVersion
  readonly intents: Readonly<Record<IntentKey, Intent>>
}

/** What turns version `from` into version `to`. */
export interface ScopeDelta {
  readonly scope: Scope
  readonly from: ScopeVersion
  readonly to: ScopeVersion
  readonly set: Readonly<Record<IntentKey, Intent>>
  readonly del: readonly IntentKey[]
}

/** What a host is told to be at. */
export interface Target {
  readonly host: string
  readonly revision: number
  readonly needs: Needs
}
