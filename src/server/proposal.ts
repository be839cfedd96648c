import type { KindDefinition, Site } from '../kinds/kind.ts'
import { type PluginChoice, pluginFindings } from '../kinds/site/check.ts'
import { SITE_KEY } from '../kinds/site/spec.ts'
import { compareIssues, hasErrors, type Issue, type Place } from '../model/issue.ts'
import type { Key } from '../model/key.ts'
import type { Subscribed } from '../plugins/callbacks.ts'
import type { Base } from './base.ts'
import { issueOf, issuesOf } from './engine/issues.ts'
import type { DeclaredOps, Engine, Locate, Step } from './engine/types.ts'
import type { VanishedFile } from './guard/guard.ts'
import { opsAgainst, type Tree, treeIssues } from './load/tree.ts'
import { inUseIssues } from './plan/in-use.ts'
import { computePlan } from './plan/plan.ts'
import { projectNameIssues } from './plan/project-names.ts'
import { quotaIssues } from './plan/quota-issues.ts'
import type { GitInfo, Plan } from './plan/types.ts'
import { fromNothing, startWorld, type TakenOver, takenText } from './takeover/take.ts'
import { judgePlan } from './veto.ts'

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
  /** What the site file said of plugins when they were loaded. */
  readonly running: Required<PluginChoice>
  /** The directory's: judges of the stage `before` are asked about what would be planned. */
  readonly subscriptions: readonly Subscribed[]
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
  /** For the first revision: what agents hold. */
  readonly taken?: TakenOver | undefined
  readonly now: number
}

/** tree × base → plan, or the mistakes. Pure but for `locate`, which may read a file to find a place. Cost follows what differs. */
export function propose(input: ProposalInput): Proposal {
  const { engine, base, tree, taken, now } = input
  const fromTree = treeIssues(tree)
  if (hasErrors(fromTree)) return { base, tree, issues: fromTree }
  const ops = opsAgainst(tree, base.world.declared, input.touched)
  const step = stepFrom(engine, base, ops, { taken, now })
  const notes = taken === undefined ? [] : takenIssues(taken, step)
  const change = { base: base.world, world: step.world, kinds: input.kinds, locate: input.locate }
  const issues = [
    ...fromTree,
    ...pluginIssues(input),
    ...issuesOf(step.world, input.locate, base.world),
    ...quotaIssues(change),
    ...inUseIssues({ base: base.world, step, kinds: input.kinds, locate: input.locate }),
    ...projectNameIssues(change),
    ...notes,
  ].sort(compareIssues)
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
    impliedBy: (key) => tree.standIns.get(key)?.implied,
    guards: input.guards,
    vanished: input.vanished,
    notes: issues,
    ...(input.git === undefined ? {} : { git: input.git }),
    ...(taken === undefined ? {} : { reported: taken.reported }),
  })
  return judged(input, { base, tree, issues, ready: { plan, step } })
}

/** Plugins that the repository names and that do not run, or the other way round. */
function pluginIssues({ tree, running, locate }: ProposalInput): readonly Issue[] {
  const site = tree.declared.get(SITE_KEY)?.spec ?? {}
  return pluginFindings(site as PluginChoice, running).map((finding) => issueOf(SITE_KEY, finding, locate))
}

/** The proposal after the judges: a veto leaves no plan. */
function judged({ subscriptions, locate }: ProposalInput, proposal: Required<Proposal>): Proposal {
  const { base, tree, ready } = proposal
  const { plan, step } = ready
  const said = judgePlan({ stage: 'before', subscriptions, changes: plan.changes, base: base.world, world: step.world, locate })
  if (said.length === 0) return proposal
  const issues = [...proposal.issues, ...said].sort(compareIssues)
  return hasErrors(said) ? { base, tree, issues } : { base, tree, issues, ready: { plan: { ...plan, notes: issues }, step } }
}

/** The step that ops make of a base; of the first one, with what agents hold as if it had been reserved before. */
export function stepFrom(
  engine: Engine,
  base: Base,
  ops: DeclaredOps,
  { taken, now }: { readonly taken: TakenOver | undefined; readonly now: number },
): Step {
  return taken === undefined
    ? engine.step(base.world, ops, { now })
    : fromNothing(engine.step(startWorld(engine, taken, now), ops, { now }))
}

function takenIssues(taken: TakenOver, step: Step): readonly Issue[] {
  const text = takenText(taken, step.world)
  const note: Issue[] = text === undefined ? [] : [{ code: 'W0503', severity: 'warning', message: `taken over from agents: ${text}` }]
  const disputes = taken.disputes.map((dispute): Issue => {
    const hint = 'write the value where it is meant to be'
    return { code: 'W0504', severity: 'warning', message: `agents contradict each other: ${dispute}`, hint }
  })
  return [...note, ...disputes]
}
