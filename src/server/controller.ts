import type { KindDefinition, Site } from '../kinds/kind.ts'
import type { PluginChoice } from '../kinds/site/check.ts'
import { sameJson } from '../lib/json.ts'
import { hasErrors, type Issue, type Place } from '../model/issue.ts'
import type { Key } from '../model/key.ts'
import type { Subscribed } from '../plugins/callbacks.ts'
import { callsAfter } from '../plugins/notify.ts'
import type { Base } from './base.ts'
import { type DeletionPause, NO_PAUSE, pauseDeletions, suspend } from './deletion-pause.ts'
import type { Engine, Locate, Step, World } from './engine/types.ts'
import { type Allowed, recordedReason, stillBlocked } from './guard/allow.ts'
import type { VanishedFile } from './guard/guard.ts'
import { EMPTY_TREE, type Tree } from './load/tree.ts'
import { allocationRows } from './plan/allocated.ts'
import type { GitInfo, Plan } from './plan/types.ts'
import { type Proposal, propose, stepFrom } from './proposal.ts'
import type { RevisionInfo, Store } from './store/types.ts'
import type { TakenOver } from './takeover/take.ts'
import type { TakeOver } from './takeover.ts'
import { type Judged, judgePlan, refuseVetoed, Vetoed } from './veto.ts'

/** One reading of the repo, as the watcher hands it over. */
export interface Reading {
  readonly tree: Tree
  /** Keys whose declared value differs from the reading before. */
  readonly touched: ReadonlySet<Key>
  readonly git?: GitInfo
  /** Files that are gone although git still has them, or a git operation is in progress. */
  readonly vanished: readonly VanishedFile[]
  readonly locate: Locate
}

/**
 * What the repo says, against what is applied. `clean`: they agree. `broken`: mistakes, the last good state serves. `blocked`: a guard refuses. `pending`: a plan
 * that waits (for `netloom apply`, or for the pause before deletions).
 */
export type RepoState =
  | { readonly state: 'unread'; readonly issues: readonly Issue[] }
  | { readonly state: 'clean'; readonly issues: readonly Issue[] }
  | { readonly state: 'broken'; readonly issues: readonly Issue[]; readonly since: number }
  | { readonly state: 'blocked' | 'pending'; readonly plan: Plan; readonly issues: readonly Issue[]; readonly since: number }

export interface ControllerOptions {
  readonly engine: Engine
  readonly kinds: readonly KindDefinition[]
  /** The plugins that run (`Directory.registry`). */
  readonly registry: string
  readonly running: Required<PluginChoice>
  readonly subscriptions: readonly Subscribed[]
  readonly store: Store
  /** Publishes a revision; returns the hosts whose set changed. */
  readonly hub: { publish(info: Pick<RevisionInfo, 'revision' | 'git'>, world: World): readonly string[] }
  /** Absent where no agent can be asked. */
  readonly takeOver?: Pick<TakeOver, 'mayCommit' | 'taken' | 'committed'>
  readonly base: Base
  readonly siteOf: (base: Base) => Site
  /** `manual`: nothing is applied before `apply` is called. */
  readonly mode: 'auto' | 'manual'
  readonly now: () => number
  /** Milliseconds of a clock that never goes back; `performance.now` if left out. */
  readonly clock?: () => number
  readonly log: (level: 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void
  readonly onRevision: (info: RevisionInfo, plan: Plan, hosts: readonly string[]) => void
  /** A plan that every judge of the stage `before` had agreed to was not committed. */
  readonly onAbort: (plan: Plan) => void
}

export interface ApplyRequest {
  /** Apply exactly this stored plan; refused as stale when the base moved, and when it was made with other plugins. Absent: whatever the repo asks for now. */
  readonly plan?: string
  readonly allow: Allowed
  readonly reason?: string
}

export type ApplyOutcome =
  | { readonly outcome: 'applied'; readonly revision: RevisionInfo; readonly plan: Plan; readonly hosts: readonly string[] }
  | { readonly outcome: 'nothing'; readonly revision: number }
  | { readonly outcome: 'refused'; readonly plan: Plan }
  | { readonly outcome: 'stale'; readonly plan: string; readonly base: number; readonly current: number }
  | { readonly outcome: 'other-plugins'; readonly plan: string; readonly made: string; readonly current: string }
  | { readonly outcome: 'broken'; readonly issues: readonly Issue[] }
  | { readonly outcome: 'unknown-plan'; readonly plan: string }

const NOWHERE: Locate = () => undefined

interface Committed {
  readonly revision: RevisionInfo
  readonly hosts: readonly string[]
}

/** Decides: reading → plan → commit → publish. Callers run its methods one at a time (`serve` has a queue of one). */
export class Controller {
  readonly #options: ControllerOptions
  #base: Base
  #reading: Reading | undefined
  #repo: RepoState = { state: 'unread', issues: [] }
  /** Keys in which the last reading may differ from the base; undefined: unknown, compare all. */
  #dirty: Set<Key> | undefined
  #pause: DeletionPause = NO_PAUSE
  /** Places of what is gone from the reading but not yet from the base: a plan says where a deleted resource stood. */
  readonly #places: Map<Key, Place> = new Map()

  constructor(options: ControllerOptions) {
    this.#options = options
    this.#base = options.base
  }

  get base(): Base {
    return this.#base
  }

  get repo(): RepoState {
    return this.#repo
  }

  get tree(): Tree {
    return this.#reading?.tree ?? EMPTY_TREE
  }

  /** Where things stand in the last reading. */
  get locate(): Locate {
    return this.#reading?.locate ?? NOWHERE
  }

  /**
   * A new reading of the repo. Applies it in `auto` mode unless something speaks against it. Returns the milliseconds after which the caller is to
   * `reconsider` a repo that has not changed, because deletions wait (a port moved between two files is two saves); 0: settled.
   */
  async consider(reading: Reading): Promise<number> {
    this.#rememberPlaces(reading)
    if (this.#dirty !== undefined) for (const key of reading.touched) this.#dirty.add(key)
    this.#reading = reading
    const proposal = this.#propose(reading)
    const ready = this.#note(proposal)
    const hindered = ready === undefined ? 'broken' : this.#hindrance(ready.plan, reading.tree)
    const left = this.#pauseFor(hindered === undefined ? ready?.plan : undefined)
    if (ready === undefined || left > 0) return left
    if (hindered === 'operator') await this.#options.store.savePlan(ready.plan)
    if (hindered !== undefined) return 0
    const done = await this.#commit(ready.plan, ready.step, reading.tree)
    if ('issues' in done) this.#repo = { state: 'broken', issues: done.issues, since: this.#options.now() }
    return 0
  }

  /** Considers the last reading again: something that spoke against applying it has changed, or time has passed. Returns what `consider` does. */
  async reconsider(): Promise<number> {
    return this.#reading === undefined ? 0 : await this.consider({ ...this.#reading, touched: new Set() })
  }

  /** What the repo asks for now, without doing it. Undefined before the first reading. */
  preview(): Proposal | undefined {
    return this.#reading === undefined ? undefined : this.#propose(this.#reading)
  }

  async apply(request: ApplyRequest): Promise<ApplyOutcome> {
    return request.plan === undefined ? await this.#applyRepo(request) : await this.#applyStored(request.plan, request)
  }

  async #applyRepo(request: ApplyRequest): Promise<ApplyOutcome> {
    if (this.#reading === undefined) return { outcome: 'broken', issues: [] }
    const proposal = this.#propose(this.#reading)
    const ready = this.#note(proposal)
    if (proposal.ready === undefined) return { outcome: 'broken', issues: proposal.issues }
    if (ready === undefined) return { outcome: 'nothing', revision: this.#base.revision }
    const outcome = await this.#applyPlan(ready.plan, ready.step, this.#reading.tree, request)
    if (outcome.outcome === 'broken') this.#repo = { state: 'broken', issues: outcome.issues, since: this.#options.now() }
    return outcome
  }

  async #applyStored(id: string, request: ApplyRequest): Promise<ApplyOutcome> {
    const stored = await this.#options.store.plan(id)
    if (stored === undefined) return { outcome: 'unknown-plan', plan: id }
    const { plan } = stored
    if (plan.base !== this.#base.revision) return { outcome: 'stale', plan: id, base: plan.base, current: this.#base.revision }
    const { registry } = this.#options
    if (plan.registry !== registry) return { outcome: 'other-plugins', plan: id, made: plan.registry, current: registry }
    if (plan.changes.length === 0) return { outcome: 'nothing', revision: this.#base.revision }
    const taken = this.#taken(this.tree)
    const step = stepFrom(this.#options.engine, this.#base, plan.ops, { taken, now: this.#options.now() })
    // Agents have spoken since the plan was made: it would renumber what they hold.
    if (taken !== undefined && !sameJson(allocationRows(this.#base.world, step), plan.allocations))
      return { outcome: 'stale', plan: id, base: plan.base, current: this.#base.revision }
    // Whoever made the plan may have had other plugins.
    const issues = judgePlan({ stage: 'before', ...this.#judging(plan, step) })
    if (hasErrors(issues)) return { outcome: 'broken', issues }
    return await this.#applyPlan(plan, step, this.tree, request)
  }

  async #applyPlan(plan: Plan, step: Step, tree: Tree, request: ApplyRequest): Promise<ApplyOutcome> {
    const left = stillBlocked(plan.blocked, request.allow)
    if (left.length > 0) return { outcome: 'refused', plan: { ...plan, blocked: left } }
    const done = await this.#commit(plan, step, tree, recordedReason(plan, request.reason))
    return 'issues' in done ? { outcome: 'broken', issues: done.issues } : { outcome: 'applied', plan, ...done }
  }

  /** What, other than deletions that wait, keeps a plan from being carried out by itself. */
  #hindrance(plan: Plan, tree: Tree): 'hosts' | 'operator' | undefined {
    const { mode, takeOver } = this.#options
    if (mode === 'auto' && takeOver?.mayCommit(tree) === false) return 'hosts'
    return mode === 'manual' || plan.blocked.length > 0 ? 'operator' : undefined
  }

  #pauseFor(plan: Plan | undefined): number {
    const at = (this.#options.clock ?? (() => performance.now()))()
    if (plan === undefined) {
      this.#pause = suspend(this.#pause, at)
      return 0
    }
    const gone = plan.changes.filter((c) => c.action === 'delete' || c.action === 'recreate').map((c) => c.key)
    const { pause, left } = pauseDeletions(this.#pause, gone, at, this.#options.siteOf(this.#base).guards.delete_settle_ms)
    this.#pause = pause
    return left
  }

  #rememberPlaces(next: Reading): void {
    for (const key of next.touched) {
      const before = this.#reading?.tree.places.get(key)
      if (before !== undefined && !next.tree.places.has(key)) this.#places.set(key, before)
    }
  }

  #propose(reading: Reading): Proposal {
    const { engine, kinds, registry, running, subscriptions } = this.#options
    return propose({
      engine,
      kinds,
      registry,
      running,
      subscriptions,
      base: this.#base,
      tree: reading.tree,
      locate: reading.locate,
      formerPlace: (key) => this.#places.get(key),
      guards: this.#options.siteOf(this.#base).guards,
      vanished: reading.vanished,
      taken: this.#taken(reading.tree),
      now: this.#options.now(),
      ...(this.#dirty === undefined ? {} : { touched: this.#dirty }),
      ...(reading.git === undefined ? {} : { git: reading.git }),
    })
  }

  #taken(tree: Tree): TakenOver | undefined {
    return this.#base.revision === 0 ? this.#options.takeOver?.taken(tree) : undefined
  }

  /** Books what the proposal means for the repo's state; returns what could be applied, if anything. */
  #note(proposal: Proposal): { readonly plan: Plan; readonly step: Step } | undefined {
    const since = 'since' in this.#repo ? this.#repo.since : this.#options.now()
    const { issues, ready } = proposal
    if (ready === undefined) {
      this.#repo = { state: 'broken', issues, since: this.#repo.state === 'broken' ? since : this.#options.now() }
      return undefined
    }
    this.#dirty = new Set([...ready.plan.ops.set.map((d) => d.key), ...ready.plan.ops.del])
    if (ready.plan.ops.set.length + ready.plan.ops.del.length === 0) {
      this.#repo = { state: 'clean', issues }
      return undefined
    }
    this.#repo = { state: ready.plan.blocked.length > 0 ? 'blocked' : 'pending', plan: ready.plan, issues, since }
    return ready
  }

  #judging(plan: Plan, step: Step): Omit<Judged, 'stage'> {
    const locate = this.#reading?.locate ?? ((): undefined => undefined)
    return { subscriptions: this.#options.subscriptions, changes: plan.changes, base: this.#base.world, world: step.world, locate }
  }

  /** Store first, then publish: a crash between the two is healed at start, by digests. */
  async #commit(plan: Plan, step: Step, tree: Tree, reason?: string): Promise<Committed | { readonly issues: readonly Issue[] }> {
    const info = await this.#store(plan, step, tree, reason).catch((error: unknown) => {
      this.#options.onAbort(plan)
      if (error instanceof Vetoed) return error
      throw error
    })
    if (info instanceof Vetoed) return { issues: info.issues }
    this.#base = { revision: info.revision, world: step.world }
    this.#pause = NO_PAUSE
    this.#options.takeOver?.committed(step.world, tree)
    const hosts = this.#options.hub.publish(info, step.world)
    this.#afterCommit(plan)
    this.#options.onRevision(info, plan, hosts)
    return { revision: info, hosts }
  }

  async #store(plan: Plan, step: Step, tree: Tree, reason?: string): Promise<RevisionInfo> {
    const places = new Map<Key, Place>()
    for (const change of plan.changes) {
      const place = tree.places.get(change.key)
      if (place !== undefined) places.set(change.key, place)
    }
    return await this.#options.store.commit(plan, {
      places,
      now: this.#options.now(),
      precommit: () => refuseVetoed({ stage: 'precommit', ...this.#judging(plan, step) }),
      calls: callsAfter(this.#options.subscriptions, plan.changes),
      ...(reason === undefined ? {} : { reason }),
    })
  }

  #afterCommit(plan: Plan): void {
    const applied = 'plan' in this.#repo && this.#repo.plan.id === plan.id
    if (applied) {
      this.#repo = { state: 'clean', issues: this.#repo.issues }
      this.#dirty = new Set()
      this.#places.clear()
    } else {
      this.#dirty = undefined
    }
  }
}
