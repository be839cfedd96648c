import { type Key, kindOf } from '../model/key.ts'
import type { Resource } from '../model/resource.ts'
import type { ActionSubscription, ChangeEvent, Subscribed, Verb, VetoSubscription } from './callbacks.ts'

/** A line of a plan, as much of it as subscribers are told. */
export interface PlannedChange {
  readonly action: 'create' | 'update' | 'delete' | 'recreate'
  readonly key: Key
  readonly before?: Resource
  readonly after?: Resource
}

/** Those that judge or act upon changes of resources. */
export type OfChanges = VetoSubscription | ActionSubscription

/** One subscriber and one event that concerns it. */
export interface Call<T extends OfChanges = OfChanges> {
  readonly subscription: Subscribed<T>
  readonly event: ChangeEvent
}

export function judgesAt(subscriptions: readonly Subscribed[], stage: VetoSubscription['stage']): readonly Subscribed<VetoSubscription>[] {
  return subscriptions.flatMap((s) => (s.stage === stage ? [s] : []))
}

export function actorsAt(
  subscriptions: readonly Subscribed[],
  stage: ActionSubscription['stage'],
): readonly Subscribed<ActionSubscription>[] {
  return subscriptions.flatMap((s) => (s.stage === stage ? [s] : []))
}

/**
 * Who is to be called about what, in order: changes as they come, of each change the subscribers as they are sorted. Where nobody listens the changes are
 * not even looked at.
 */
export function* callsOf<T extends OfChanges>(listening: readonly Subscribed<T>[], changes: Iterable<PlannedChange>): Generator<Call<T>> {
  if (listening.length === 0) return
  const byKind = new Map<string, readonly Subscribed<T>[]>()
  for (const change of changes) {
    const kind = kindOf(change.key)
    const concerned = byKind.get(kind) ?? listening.filter((s) => s.kind === '*' || s.kind === kind)
    byKind.set(kind, concerned)
    if (concerned.length === 0) continue
    for (const event of eventsOf(change, kind)) {
      for (const subscription of concerned) if (subscription.verbs.includes(event.verb)) yield { subscription, event }
    }
  }
}

/** What is to be remembered of a revision until it has been told: by names, as a later run of the server will find it. */
export function callsAfter(
  subscriptions: readonly Subscribed[],
  changes: Iterable<PlannedChange>,
): readonly { readonly plugin: string; readonly subscription: string; readonly verb: Verb; readonly key: Key }[] {
  const calls = [...callsOf(actorsAt(subscriptions, 'after'), changes)]
  return calls.map(({ subscription, event }) => ({
    plugin: subscription.plugin,
    subscription: subscription.name,
    verb: event.verb,
    key: event.key,
  }))
}

function eventsOf({ action, key, before, after }: PlannedChange, kind: string): readonly ChangeEvent[] {
  const was = before === undefined ? {} : { before }
  const is = after === undefined ? {} : { after }
  if (action !== 'recreate') return [{ verb: action, kind, key, ...was, ...is, recreated: false }]
  return [
    { verb: 'delete', kind, key, ...was, recreated: true },
    { verb: 'create', kind, key, ...is, recreated: true },
  ]
}
