import type { HostIntent } from '../src/model/intent.ts'
import { hostScope, intentKey } from '../src/model/scope.ts'
import type { IntentSet } from './backends/backend.ts'
import type { ConvergeTarget } from './converge/converger.ts'
import type { TargetSet } from './northbound/feed-core.ts'
import type { HeldScopes } from './northbound/held.ts'

export function convergeTarget(target: Pick<TargetSet, 'revision' | 'scopes'>): ConvergeTarget {
  return { revision: target.revision, intents: intentsOf(target.scopes) }
}

export function intentsOf(scopes: HeldScopes): IntentSet {
  return new Map([...scopes].map(([scope, held]) => [scope, held.intents]))
}

/** This host's own intent; undefined in a set that does not know the host. */
export function hostIntent(host: string, scopes: HeldScopes): HostIntent | undefined {
  const intent = scopes.get(hostScope(host))?.intents.get(intentKey('host', host))
  return intent?.type === 'host' ? intent : undefined
}
