import { nameHolders } from '../../kinds/findings.ts'
import type { KindDefinition } from '../../kinds/kind.ts'
import { sameJson } from '../../lib/json.ts'
import type { Issue } from '../../model/issue.ts'
import { displayKey, type Key, kindOf } from '../../model/key.ts'
import { usersIn } from '../engine/counts.ts'
import { issueOf } from '../engine/issues.ts'
import type { Locate, Step, World } from '../engine/types.ts'

/** A step from a base, and what may not change in it while others go on using the resource. */
export interface UseChange {
  readonly base: World
  readonly step: Step
  readonly kinds: readonly KindDefinition[]
  readonly locate: Locate
}

/** Attributes that stand still while a resource is used (`immutable_while_used_by`) by somebody who used it before and still does. */
export function inUseIssues({ base, step, kinds, locate }: UseChange): readonly Issue[] {
  const held = new Map(kinds.map((kind) => [kind.kind, heldAttributes(kind)]))
  return [...step.touched].flatMap((key) => {
    const before = base.resources.get(key)
    const after = step.world.resources.get(key)
    if (before === undefined || after === undefined) return []
    return (held.get(kindOf(key)) ?? [])
      .filter(({ name }) => !sameJson(before.spec[name], after.spec[name]))
      .flatMap(({ name, by }) => {
        const now = new Set(usersIn(step.world, key, by))
        const users = usersIn(base, key, by).filter((user) => now.has(user))
        return users.length === 0 ? [] : [issueOf(key, inUse(key, name, by, users), locate)]
      })
  })
}

function heldAttributes({ mutability = {} }: KindDefinition): readonly { readonly name: string; readonly by: string }[] {
  return Object.entries(mutability).flatMap(([name, how]) => (typeof how === 'object' ? [{ name, by: how.immutable_while_used_by }] : []))
}

/** As many users as anybody wants to see. */
const SHOWN = 3

function inUse(key: Key, name: string, by: string, users: readonly Key[]) {
  return {
    code: 'E0289',
    message: `${name} of ${displayKey(key)} cannot be changed while a ${by} uses it: ${nameHolders(users, SHOWN)}`,
    at: [name],
    related: users.slice(0, SHOWN).map((user) => ({ message: 'uses it', key: user })),
    hint: `put the old value back, or make another ${kindOf(key).replaceAll('_', ' ')} for its users`,
  }
}
