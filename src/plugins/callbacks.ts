import type { Finding } from '../model/issue.ts'
import { compareText, type Key } from '../model/key.ts'
import type { Resource } from '../model/resource.ts'

/*
 * The in-process callback system (Neutron's `neutron_lib.callbacks`): kind × event → subscribers. `before` and `precommit` are judgements about a plan and may
 * veto it; they are handed frozen values and answer with values, at once: one that begins anything (a socket, a file, a timer, a promise) refuses the plan as a fault of
 * its plugin. `after` may do anything, and is tried again until it succeeds.
 *
 * Order: changes as the plan has them, of each change the subscribers by priority, then plugin, then name. All judges are asked, so that every reason is told at once.
 */

export type Verb = 'create' | 'update' | 'delete'

/** Neutron's default; lower comes earlier. */
export const DEFAULT_PRIORITY = 55_550_000

/** Read access to the world before and after the plan; what it returns is frozen. */
export interface CallbackWorlds {
  before(key: Key): Resource | undefined
  after(key: Key): Resource | undefined
}

/** One change of a plan, as subscribers see it. A resource that is made anew is two events: its `delete`, then its `create`. */
export interface ChangeEvent {
  readonly verb: Verb
  readonly kind: string
  readonly key: Key
  /** Absent for `create`. */
  readonly before?: Resource
  /** Absent for `delete`. */
  readonly after?: Resource
  /** True for both events of a resource that is made anew: it is there before and after the plan. */
  readonly recreated: boolean
}

/**
 * Something that is no change of a resource: the server has started or is about to stop; an agent reported for the first time ever, is not heard of any more, or
 * came back after that. A server that starts gives every agent it knows the time to report before it calls one `down`.
 */
export interface SystemEvent {
  readonly name: 'process/after_start' | 'process/before_stop' | 'agent/new' | 'agent/revived' | 'agent/down'
  readonly host?: string
}

interface SubscriptionBase {
  /** Unique in its plugin, and the same in later versions: what `status` shows when it fails, and by which calls that wait find it after a restart. */
  readonly name: string
  readonly priority?: number
}

/**
 * `before`: judged while the plan is made, so a veto is shown by `netloom plan` and `netloom validate` (there against nothing: all are creations). `precommit`:
 * judged on exactly the plan that is being committed, inside the transaction; a veto leaves nothing behind. Each finding of severity error vetoes the whole
 * plan; its `at` is a path in the resource, and the issue names plugin and subscription. A judge that throws or answers with anything but findings vetoes it too.
 */
export interface VetoSubscription extends SubscriptionBase {
  readonly stage: 'before' | 'precommit'
  readonly kind: string | '*'
  readonly verbs: readonly Verb[]
  judge(event: ChangeEvent, worlds: CallbackWorlds): readonly Finding[]
}

/**
 * `after`: the revision is committed. Called at least once for each event, also when the server is killed in between, so calling it again must do no harm; of one
 * resource in the order of revisions, the next only when the one before succeeded. A rejected promise is tried again with growing pauses and shown by `netloom status`
 * until it succeeds. A call that does not end within a minute counts as failed, and its subscription has to wait until it ends.
 * `abort`: a plan to which every `before` had agreed was not committed (a `precommit` vetoed it, or the state file could not be written). Tried again likewise, but forgotten
 * when the server ends.
 */
export interface ActionSubscription extends SubscriptionBase {
  readonly stage: 'after' | 'abort'
  readonly kind: string | '*'
  readonly verbs: readonly Verb[]
  act(event: ChangeEvent, context: ActionContext): Promise<void>
}

/** Tried again like `abort`; `process/before_stop` is called once and given a few seconds. */
export interface SystemSubscription extends SubscriptionBase {
  readonly stage: 'system'
  readonly events: readonly SystemEvent['name'][]
  act(event: SystemEvent, context: ActionContext): Promise<void>
}

export interface ActionContext {
  /** `after`: the revision that brought the change. `abort`: the one that stayed. System events: the current one. */
  readonly revision: number
  /** Aborted when the server stops, or the call has taken too long. */
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
