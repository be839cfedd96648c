import { flatSpec } from '../kinds/extension.ts'
import type { KindDefinition } from '../kinds/kind.ts'
import { sameJson } from '../lib/json.ts'
import type { Finding } from '../model/issue.ts'
import { displayKey } from '../model/key.ts'
import type { Subscribed, VetoSubscription } from './callbacks.ts'

/** The core's own judge: attributes that their kind, or a plugin that added them, does not let change. One for each kind that has such. */
export function immutableAttributes(kinds: readonly KindDefinition[]): readonly Subscribed<VetoSubscription>[] {
  return kinds.flatMap((kind) => {
    const names = Object.entries(kind.mutability ?? {}).flatMap(([name, how]) => (how === 'immutable' ? [name] : []))
    return names.length === 0 ? [] : [judgeOf(kind.kind, names)]
  })
}

function judgeOf(kind: string, names: readonly string[]): Subscribed<VetoSubscription> {
  return {
    plugin: 'netloom',
    name: `immutable-${kind}`,
    stage: 'before',
    kind,
    // Making it anew because of another attribute is no way round.
    verbs: ['update', 'create'],
    judge({ key }, worlds) {
      const before = worlds.before(key)
      const after = worlds.after(key)
      if (before === undefined || after === undefined) return []
      const was = flatSpec(before.spec)
      const is = flatSpec(after.spec)
      return names
        .filter((name) => !sameJson(was[name], is[name]))
        .map((name): Finding => {
          const message = `${name} of ${displayKey(key)} cannot be changed once it is made`
          return { code: 'E0501', message, at: [name], hint: `put the old value back, or give the ${kind} another name` }
        })
    },
  }
}
