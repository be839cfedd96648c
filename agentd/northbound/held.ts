import { entryDigest, setDigest, xorDigest } from '../../src/lib/digest.ts'
import { sameJson } from '../../src/lib/json.ts'
import type { Intent } from '../../src/model/intent.ts'
import { EMPTY_VERSION, type IntentKey, type Scope, type ScopeContent, type ScopeDelta, type ScopeVersion } from '../../src/model/scope.ts'

/** A scope as the agent holds it. Immutable; an intent that a delta leaves as it was keeps its identity. */
export interface HeldScope {
  readonly version: ScopeVersion
  readonly intents: ReadonlyMap<IntentKey, Intent>
}
export type HeldScopes = ReadonlyMap<Scope, HeldScope>

export const EMPTY_SCOPE: HeldScope = { version: EMPTY_VERSION, intents: new Map() }

/** The scope after the delta; undefined when it starts elsewhere or does not end at the version it promises. */
export function applyDelta(held: HeldScope, delta: ScopeDelta): HeldScope | undefined {
  if (held.version !== delta.from) return undefined
  const intents = new Map(held.intents)
  let version: string = held.version
  for (const key of delta.del) {
    const old = intents.get(key)
    if (old === undefined) return undefined
    version = xorDigest(version, entryDigest(key, old))
    intents.delete(key)
  }
  for (const [key, intent] of entriesOf(delta.set)) {
    const old = intents.get(key)
    if (old !== undefined && sameJson(old, intent)) continue
    if (old !== undefined) version = xorDigest(version, entryDigest(key, old))
    version = xorDigest(version, entryDigest(key, intent))
    intents.set(key, intent)
  }
  return version === delta.to ? { version: delta.to, intents } : undefined
}

/** A whole scope from the server; undefined when it is not what its version says. Intents equal to held ones keep their identity. */
export function adoptContent(held: HeldScope | undefined, content: ScopeContent): HeldScope | undefined {
  const entries = entriesOf(content.intents)
  if (setDigest(entries) !== content.version) return undefined
  const intents = new Map<IntentKey, Intent>()
  for (const [key, intent] of entries) {
    const old = held?.intents.get(key)
    intents.set(key, old !== undefined && sameJson(old, intent) ? old : intent)
  }
  return { version: content.version, intents }
}

/** `setDigest` over scope → version. From a neighbouring set, only what differs is hashed. */
export function shiftNeedsDigest(
  from: { readonly needs: ReadonlyMap<Scope, ScopeVersion>; readonly digest: string } | undefined,
  needs: ReadonlyMap<Scope, ScopeVersion>,
): string {
  let digest = from?.digest ?? EMPTY_VERSION
  for (const [scope, version] of from?.needs ?? []) {
    if (needs.get(scope) !== version) digest = xorDigest(digest, entryDigest(scope, version))
  }
  for (const [scope, version] of needs) {
    if (from?.needs.get(scope) !== version) digest = xorDigest(digest, entryDigest(scope, version))
  }
  return digest
}

function entriesOf(intents: Readonly<Record<IntentKey, Intent>>): [IntentKey, Intent][] {
  return Object.entries(intents) as [IntentKey, Intent][]
}
