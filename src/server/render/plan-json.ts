import type { PlanOutput } from '../../../schemas/output/plan.ts'
import type { JsonObject } from '../../model/brand.ts'
import { hasErrors } from '../../model/issue.ts'
import { keyParts } from '../../model/key.ts'
import type { Resource } from '../../model/resource.ts'
import type { Action, AttributeChange, Change, Plan } from '../plan/types.ts'
import { issueJson } from './issue.ts'

type ChangeOutput = PlanOutput['changes'][number]

const ACTIONS: Readonly<Record<Action, ChangeOutput['actions']>> = {
  create: ['create'],
  update: ['update'],
  delete: ['delete'],
  recreate: ['delete', 'create'],
}

/** The plan as machines read it, by `schemas/output/plan.ts`. */
export function planJson(plan: Plan): PlanOutput {
  return {
    format_version: '1.0',
    type: 'plan',
    plan: plan.id,
    base_revision: plan.base,
    ...(plan.git === undefined ? {} : { git: { ...plan.git } }),
    no_op: plan.changes.length === 0,
    applyable: !hasErrors(plan.notes) && plan.blocked.every((v) => v.override !== undefined),
    blocked_by: plan.blocked.map((v) => ({ ...v })),
    changes: plan.changes.map(changeJson),
    rewritten: plan.ops.set.length + plan.ops.del.length,
    hosts: [...plan.hosts],
    notes: plan.notes.map((note) => issueJson(note) as PlanOutput['notes'][number]),
    summary: { ...plan.summary },
  }
}

function changeJson(change: Change): ChangeOutput {
  const { place } = change
  return {
    address: change.key,
    ...keyParts(change.key),
    actions: ACTIONS[change.action],
    reason: change.reason,
    ...(place === undefined ? {} : { source: { file: place.file, line: place.line, column: place.col } }),
    before: resourceJson(change.before),
    after: resourceJson(change.after),
    attributes: change.attributes.map(attributeJson),
    unchanged: change.unchanged,
    hosts: [...change.hosts],
  }
}

function attributeJson({ path, before, after, allocated = false, forces = false }: AttributeChange): ChangeOutput['attributes'][number] {
  return { path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }), allocated, forces }
}

function resourceJson(resource: Resource | undefined): JsonObject | null {
  return resource === undefined ? null : { id: resource.id, ...resource.spec }
}
