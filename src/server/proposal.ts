import type { KindDefinition, Site } from '../kinds/kind.ts'
import { compareIssues, hasErrors, type Issue, type Place } from '../model/issue.ts'
import type { Key } from '../model/key.ts'
import type { Base } from './base.ts'
import { issuesOf } from './engine/issues.ts'
import type { Engine, Locate, Step } from './engine/types.ts'
import type { VanishedFile } from './guard/guard.ts'
import { opsAgainst, type Tree, treeIssues } from './load/tree.ts'
import { computePlan } from './plan/plan.ts'
import type { GitInfo, Plan } from './plan/types.ts'

/** What a tree would do to a base. With an error among `issues` there is no plan: the last good state serves. */
export interface Proposal {
  readonly base: Base
  readonly tree: Tree
  readonly issues: readonly Issue[]
  readonly ready?: { readonly plan: Plan; readonly step: Step }
}

export interface ProposalInput {
  readonly engine: Engine
  readonly kinds: readonly KindDefinition[]
  readonly registry: string
  readonly base: Base
  readonly tree: Tree
  /** Keys that may differ from the base; absent: all are compared. */
  readonly touched?: ReadonlySet<Key>
  readonly git?: GitInfo
  readonly locate: Locate
  /** Where a resource that is no longer in the tree stood. */
  readonly formerPlace: (key: Key) => Place | undefined
  readonly guards: Site['guards']
  readonly vanished: readonly VanishedFile[]
  readonly now: number
}

/** tree × base → plan, or the mistakes. Pure but for `locate`, which may read a file to find a place. Cost follows what differs. */
export function propose(input: ProposalInput): Proposal {
  const { engine, base, tree, now } = input
  const fromTree = treeIssues(tree)
  if (hasErrors(fromTree)) return { base, tree, issues: fromTree }
  const ops = opsAgainst(tree, base.world.declared, input.touched)
  const step = engine.step(base.world, ops, { now })
  const issues = [...fromTree, ...issuesOf(step.world, input.locate, base.world)].sort(compareIssues)
  if (hasErrors(issues)) return { base, tree, issues }
  const plan = computePlan({
    base: base.world,
    baseRevision: base.revision,
    ops,
    step,
    footprint: engine.footprint,
    kinds: input.kinds,
    registry: input.registry,
    places: (key) => tree.places.get(key) ?? input.formerPlace(key),
    guards: input.guards,
    vanished: input.vanished,
    notes: issues,
    ...(input.git === undefined ? {} : { git: input.git }),
  })
  return { base, tree, issues, ready: { plan, step } }
}
