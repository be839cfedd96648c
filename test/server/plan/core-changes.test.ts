import { compareIssues, type Issue } from '../../../src/model/issue.ts'
import { issuesOf } from '../../../src/server/engine/issues.ts'
import type { DeclaredOps, Step, World } from '../../../src/server/engine/types.ts'
import { computePlan, isEmptyPlan } from '../../../src/server/plan/plan.ts'
import type { AttributeChange, Change } from '../../../src/server/plan/types.ts'
import { kinds } from '../../support/kinds.ts'
import { build, engine, write } from '../../support/world.ts'
import { locate, testCases } from './case-file.ts'

const GUARDS = { delete_ratio: 1, delete_ratio_min: 1000, delete_count: 1000, delete_settle_ms: 0 }

/** What is said about the change, else what the plan would do. */
function run(source: string): string {
  const [before = '', after = ''] = source.split(/^then\n/m)
  const base = build(before)
  const { declared, findings } = write(after)
  const now = new Set(declared.map((d) => d.key))
  const ops = { set: declared, del: [...base.declared.keys()].filter((key) => !now.has(key)) }
  const step = engine.step(base, ops, { now: 0 })
  const issues = [...issuesOf(step.world, locate, base)].sort(compareIssues)
  const mistakes = findings.length > 0 || issues.some((issue) => issue.severity === 'error')
  return [...findings, ...issues.map(issueText), ...(mistakes ? [] : planned(base, ops, step))].join('\n')
}

function planned(base: World, ops: DeclaredOps, step: Step): readonly string[] {
  const { footprint } = engine
  const plan = computePlan({ base, baseRevision: 1, registry: '', ops, step, footprint, kinds, places: () => undefined, guards: GUARDS })
  if (isEmptyPlan(plan)) return ['nothing changes']
  return plan.changes.length === 0 ? ['only what is written changes'] : plan.changes.map(changeText)
}

function changeText({ action, key, attributes }: Change): string {
  return action === 'update' || action === 'recreate' ? `${action} ${key}: ${attributes.map(attributeText).join('; ')}` : `${action} ${key}`
}

function attributeText({ path, before, after, forces }: AttributeChange): string {
  const text = (value: unknown): string => (value === undefined ? '–' : JSON.stringify(value))
  return `${path} ${text(before)} → ${text(after)}${forces === true ? ' (forces it)' : ''}`
}

function issueText({ code, place, message, related, hint }: Issue): string {
  const others = (related ?? []).map((r) => ` (${r.place?.file}: ${r.message})`).join('')
  return `${code} ${place?.file}: ${message}${others}${hint === undefined ? '' : ` → ${hint}`}`
}

testCases('core-changes.txt', run)
