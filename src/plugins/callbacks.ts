import type { Finding } from '../model/issue.ts'
import { compareText, type Key } from '../model/key.ts'
import type { Resource } from '../model/resource.ts'

/*
 * The in-process callback system (Neutron's `neutron_lib.callbacks`): kind × event → subscribers. `before` and `precommit` are pure judgements about a plan and may
 * veto it; they are handed values, never a socket, so nothing in them can reach the network. `after` may do anything, and is tried again until it succeeds.
 */

export type Verb = 'create' | 'update' | 'delete'

/** Neutron's default; lower comes earlier. */
export const DEFAULT_PRIORITY = 55_550_000

/** Read access to the world before and after the plan. */
export interface CallbackWorlds {
  before(key: Key): Resource | undefined
  after(key: Key): Resource | undefined
}

/** One change of a plan, as subscribers see it. */
export interface ChangeEvent {
  readonly verb: Verb
  readonly kind: string
  readonly key: Key
  readonly before?: Resource
  readonly after?: Resource
}

/** Something that is no change of a resource: the server has started, an agent was heard for the first time, came back, or is gone. */
export interface SystemEvent {
  readonly name: 'process/after_start' | 'process/before_stop' | 'agent/new' | 'agent/revived' | 'agent/down'
  readonly host?: string
}

interface SubscriptionBase {
  /** Unique in its plugin: what `status` shows when it fails. */
  readonly name: string
  readonly priority?: number
}

/**
 * `before`: judged while the plan is made, so a veto is shown by `netloom plan`. `precommit`: judged again on exactly the plan that is being committed, in the
 * transaction; a veto leaves nothing behind. Each finding of severity error vetoes the whole plan.
 */
export interface VetoSubscription extends SubscriptionBase {
  readonly stage: 'before' | 'precommit'
  readonly kind: string | '*'
  readonly verbs: readonly Verb[]
  judge(event: ChangeEvent, worlds: CallbackWorlds): readonly Finding[]
}

/** `after`: the revision is committed. `abort`: what `before` or `precommit` had agreed to did not come. A rejected promise is tried again with growing pauses. */
export interface ActionSubscription extends SubscriptionBase {
  readonly stage: 'after' | 'abort'
  readonly kind: string | '*'
  readonly verbs: readonly Verb[]
  act(event: ChangeEvent, context: ActionContext): Promise<void>
}

export interface SystemSubscription extends SubscriptionBase {
  readonly stage: 'system'
  readonly events: readonly SystemEvent['name'][]
  act(event: SystemEvent, context: ActionContext): Promise<void>
}

export interface ActionContext {
  readonly revision: number
  readonly signal: AbortSignal
  log(level: 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>): void
}

export type Subscription = VetoSubscription | ActionSubscription | SystemSubscription

/** With the plugin it belongs to. */
export type Subscribed<S extends Subscription = Subscription> = S & { readonly plugin: string }

/** The order in which subscribers are called: priority, then plugin, then name. */
export function compareSubscriptions(a: Subscribed, b: Subscribed): number {
  return (
    (a.priority ?? DEFAULT_PRIORITY) - (b.priority ?? DEFAULT_PRIORITY) || compareText(a.plugin, b.plugin) || compareText(a.name, b.name)
  )
}
