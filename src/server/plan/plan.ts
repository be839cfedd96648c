import { flatSpec } from '../../kinds/extension.ts'
import type { KindDefinition, Site } from '../../kinds/kind.ts'
import { canonicalJson, sameJson } from '../../lib/json.ts'
import type { Json, JsonObject } from '../../model/brand.ts'
import type { Issue, Place } from '../../model/issue.ts'
import { compareText, type Key, keyParts } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import { usersIn } from '../engine/counts.ts'
import type { DeclaredOps, Engine, Step, World } from '../engine/types.ts'
import { type GuardInput, guardPlan } from '../guard/guard.ts'
import { allocationRows, markAllocated } from './allocated.ts'
import { type AttributeDiff, diffAttributes, topLevel } from './attributes.ts'
import { type HostsOf, hostFinder } from './hosts.ts'
import { planId } from './identity.ts'
import { compareChanges, kindOrder } from './order.ts'
import { type Draft, reasonOf } from './reason.ts'
import type { Action, AttributeChange, Change, GitInfo, Plan, Summary } from './types.ts'

export interface PlanInput {
  /** The world of revision `baseRevision` (0: nothing yet). */
  readonly base: World
  readonly baseRevision: number
  /** Of the plugins whose kinds these are. */
  readonly registry: string
  /** What was declared and undeclared, and the step the engine made of it. The step's world must be without errors. */
  readonly ops: DeclaredOps
  readonly step: Step
  readonly footprint: Engine['footprint']
  readonly kinds: readonly KindDefinition[]
  /** Where a resource stands now; for a deleted one, where it stood. */
  readonly places: (key: Key) => Place | undefined
  /** Who takes a resource for granted that nobody wrote. */
  readonly impliedBy?: (key: Key) => Key | undefined
  readonly guards: Site['guards']
  readonly vanished?: GuardInput['vanished']
  readonly reported?: GuardInput['reported']
  readonly git?: GitInfo
  /** Warnings and notes of reading and checking, shown with the plan. */
  readonly notes?: readonly Issue[]
}

/**
 * The plan that turns the base into the step's world: pure, in an order that does not depend on how files were read, at the cost of what the
 * step touched. Ops that change nothing are not part of it: where everything is as it was, changes, ops and allocations are empty.
 */
export function computePlan(input: PlanInput): Plan {
  const ops = netOps(input)
  const drafts = draftChanges(input)
  const changes = describeChanges(input, ops, drafts)
  const allocations = allocationRows(input.base, input.step)
  const partial = { base: input.baseRevision, registry: input.registry, ops, changes, allocations }
  const { base, step, guards, vanished, reported } = input
  return {
    id: planId(partial),
    ...partial,
    ...(input.git === undefined ? {} : { git: input.git }),
    notes: input.notes ?? [],
    blocked: guardPlan({
      base,
      world: step.world,
      changes,
      allocations,
      guards,
      ...(vanished === undefined ? {} : { vanished }),
      ...(reported === undefined ? {} : { reported }),
    }),
    hosts: [...step.touchedHosts].sort(compareText),
    summary: summarise(changes),
  }
}

/** True when applying the plan changes nothing, not even what is remembered. */
export function isEmptyPlan(plan: Plan): boolean {
  return plan.changes.length + plan.ops.set.length + plan.ops.del.length + plan.allocations.set.length + plan.allocations.del.length === 0
}

function netOps({ base, ops, kinds }: PlanInput): DeclaredOps {
  const unordered = new Map(kinds.map((k) => [k.kind, k.unordered ?? []]))
  const isChange = (d: Declared): boolean => !sameDeclared(base.declared.get(d.key), d, unordered.get(d.kind) ?? [])
  return {
    set: ops.set.filter(isChange).sort((a, b) => compareText(a.key, b.key)),
    del: ops.del.filter((key) => base.declared.has(key)).sort(compareText),
  }
}

/** Equal but for the order of lists in which it says nothing. */
function sameDeclared(before: Declared | undefined, after: Declared, unordered: readonly string[]): boolean {
  if (before === undefined) return false
  if (sameJson(before, after)) return true
  const sorted = (spec: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(spec).map(([name, value]) => [name, unordered.includes(name) ? sortedList(value) : value]))
  return unordered.length > 0 && sameJson(sorted(before.spec), sorted(after.spec))
}

function sortedList(value: Json): Json {
  return Array.isArray(value) ? [...value].map((entry: Json) => canonicalJson(entry)).sort() : value
}

function draftChanges({ base, step, kinds }: PlanInput): ReadonlyMap<Key, Draft> {
  const recreate = new Map(kinds.map((k) => [k.kind, k.mutability ?? {}]))
  const drafts = new Map<Key, Draft>()
  for (const key of step.touched) {
    const before = base.resources.get(key)
    const after = step.world.resources.get(key)
    if (before === after) continue
    if (after === undefined && step.world.declared.has(key))
      throw new Error(`${key} could not be resolved: a world with errors has no plan`)
    if (before === after) continue
    const diff = diffAttributes(attributesOf(before), attributesOf(after))
    if (diff.changes.length === 0 && before !== undefined && after !== undefined) continue
    drafts.set(key, { before, after, action: actionOf(before, after, diff, recreate.get(keyParts(key).kind) ?? {}), diff })
  }
  return drafts
}

/** The id is an attribute like any other: an operator may write one. */
function attributesOf(resource: Resource | undefined): Resource['spec'] | undefined {
  return resource === undefined ? undefined : { id: resource.id, ...flatSpec(resource.spec) }
}

type Mutability = NonNullable<KindDefinition['mutability']>

function actionOf(before: Resource | undefined, after: Resource | undefined, diff: AttributeDiff, mutability: Mutability): Action {
  if (before === undefined) return 'create'
  if (after === undefined) return 'delete'
  return diff.changes.some((change) => forces(change, mutability)) ? 'recreate' : 'update'
}

/** A switch knows an interface by its resource's id, so another id is another resource, for every kind. */
function forces(change: AttributeChange, mutability: Mutability): boolean {
  const name = topLevel(change.path)
  return name === 'id' || mutability[name] === 'recreate'
}

function describeChanges(input: PlanInput, ops: DeclaredOps, drafts: ReadonlyMap<Key, Draft>): readonly Change[] {
  const hostsOf = hostFinder(input.base, input.step)
  const mutability = new Map(input.kinds.map((k) => [k.kind, k.mutability ?? {}]))
  const written = new Set(ops.set.map((d) => d.key))
  const changes = [...drafts].map(([key, draft]) =>
    describe(input, key, draft, {
      hostsOf,
      mutability,
      written,
      drafts,
      impliedBy: input.impliedBy,
      abandoned: abandonedIn(input.base, input.kinds),
    }),
  )
  return changes.sort(compareChanges(kindOrder(input.kinds)))
}

/** Whether a resource with nothing said about it was taken for granted by somebody. */
function abandonedIn(base: World, kinds: PlanInput['kinds']): (key: Key) => boolean {
  const implying = kinds.filter((kind) => kind.implies !== undefined)
  return (key) => {
    const declared = base.declared.get(key)
    if (declared === undefined || Object.keys(declared.spec).length > 0) return false
    const implies = ({ kind, name }: Pick<Declared, 'kind' | 'name'>): boolean => kind === declared.kind && name === declared.name
    return implying.some((kind) =>
      usersIn(base, key, kind.kind).some((user) => kind.implies?.(base.declared.get(user)?.spec ?? {}).some(implies) === true),
    )
  }
}

interface Context {
  readonly hostsOf: HostsOf
  readonly mutability: ReadonlyMap<string, Mutability>
  readonly written: ReadonlySet<Key>
  readonly impliedBy: PlanInput['impliedBy']
  readonly abandoned: (key: Key) => boolean
  readonly drafts: ReadonlyMap<Key, Draft>
}

function describe(input: PlanInput, key: Key, draft: Draft, context: Context): Change {
  const { base, step, footprint } = input
  const old = footprint(base, key)
  const now = footprint(step.world, key)
  const { before, after } = draft
  const place = input.places(key)
  const mutability = context.mutability.get(keyParts(key).kind) ?? {}
  const marked = markAllocated(draft.diff.changes, key, step.world.allocations)
  return {
    action: draft.action,
    key,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    attributes: draft.action === 'recreate' ? marked.map((c) => (forces(c, mutability) ? { ...c, forces: true } : c)) : marked,
    unchanged: draft.diff.unchanged,
    reason: reasonOf(key, draft, context, [...(old?.reads ?? []), ...(now?.reads ?? [])]),
    ...(place === undefined ? {} : { place }),
    hosts: context.hostsOf(old?.lowered, now?.lowered),
  }
}

function summarise(changes: readonly Change[]): Summary {
  const summary = { create: 0, update: 0, delete: 0, recreate: 0 }
  for (const change of changes) summary[change.action]++
  return summary
}
