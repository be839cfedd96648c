import { setDigest } from '../../../src/lib/digest.ts'
import { PMap } from '../../../src/lib/pmap.ts'
import type { Intent } from '../../../src/model/intent.ts'
import type { Key } from '../../../src/model/key.ts'
import type { IntentKey, Scope, ScopeVersion } from '../../../src/model/scope.ts'
import type { ScopeState } from '../../../src/server/engine/types.ts'
import type { LedgerWorld } from '../../../src/server/hub/ledger.ts'

/** scope → intents by key, as a test writes it: a number stands for an intent that differs from any other number's. */
export type Sketch = Readonly<Record<string, Readonly<Record<string, number>>>>

export function intent(key: string, n: number): Intent {
  return {
    type: 'location',
    port: `port/default/${key}` as Key,
    network: 'network/default/blue' as Key,
    host: 'h1',
    mac: 'fa:16:3e:00:00:01',
    ips: [`10.0.${n >> 8}.${n & 255}`],
    port_security_enabled: true,
    admin_state_up: true,
  }
}

export function scopeOf(intents: Readonly<Record<string, number>>): ScopeState {
  const entries = Object.entries(intents).map(([key, n]) => [key as IntentKey, intent(key, n)] as const)
  return { version: setDigest(entries) as ScopeVersion, intents: PMap.from(entries) }
}

/** A world of its own, sharing nothing. */
export function world(scopes: Sketch, needs: Readonly<Record<string, readonly string[]>>): LedgerWorld {
  return nextWorld({ scopes: PMap.empty(), needs: PMap.empty() }, scopes, needs)
}

/** The world after some scopes and some hosts' needs were written anew; the rest is shared with `base`, as the engine does it. */
export function nextWorld(base: LedgerWorld, scopes: Sketch, needs: Readonly<Record<string, readonly string[]>> = {}): LedgerWorld {
  const nextScopes = base.scopes.draft()
  for (const [scope, intents] of Object.entries(scopes))
    nextScopes.set(scope as Scope, changeScope(base.scopes.get(scope as Scope), intents))
  const nextNeeds = base.needs.draft()
  for (const [host, list] of Object.entries(needs)) nextNeeds.set(host, PMap.from(list.map((s): [Scope, number] => [s as Scope, 1])))
  return { scopes: nextScopes.done(), needs: nextNeeds.done() }
}

/** Structure shared with the scope's former state, equal intents included. */
function changeScope(base: ScopeState | undefined, intents: Readonly<Record<string, number>>): ScopeState {
  const whole = scopeOf(intents)
  if (base === undefined) return whole
  const draft = base.intents.draft()
  for (const key of base.intents.keys()) if (!whole.intents.has(key)) draft.delete(key)
  for (const [key, value] of whole.intents) if (JSON.stringify(base.intents.get(key)) !== JSON.stringify(value)) draft.set(key, value)
  return { version: whole.version, intents: draft.done() }
}
