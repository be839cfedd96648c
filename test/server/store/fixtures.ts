import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { JsonObject } from '../../../src/model/brand.ts'
import type { Place } from '../../../src/model/issue.ts'
import { type Key, keyParts, makeKey } from '../../../src/model/key.ts'
import type { Declared, Resource } from '../../../src/model/resource.ts'
import type { Holding } from '../../../src/server/engine/types.ts'
import type { Change, Plan } from '../../../src/server/plan/types.ts'
import type { ResourceRow, Store } from '../../../src/server/store/types.ts'

/** A directory of the test's own, gone afterwards. */
export async function scratch(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'netloom-store-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

export const NOW: number = Date.parse('2026-03-01T12:00:00Z')

export function port(name: string): Key {
  return makeKey('port', 'default', name)
}

export function declared(key: Key, spec: JsonObject): Declared {
  return { key, ...keyParts(key), spec }
}

export function resource(key: Key, spec: JsonObject): Resource {
  return { key, ...keyParts(key), id: `id-of-${key}`, spec }
}

export function place(line: number): Place {
  return { file: 'nets/a.yaml', line, col: 3 }
}

export function created(key: Key, spec: JsonObject): Change {
  return { action: 'create', key, after: resource(key, spec), attributes: [], unchanged: 0, reason: 'written', hosts: ['h1'] }
}

export function updated(key: Key, before: JsonObject, after: JsonObject, reason = 'written'): Change {
  return { ...created(key, after), action: 'update', before: resource(key, before), unchanged: 1, reason }
}

export function deleted(key: Key, spec: JsonObject): Change {
  return {
    action: 'delete',
    key,
    before: resource(key, spec),
    attributes: [],
    unchanged: 0,
    reason: 'removed from the repo',
    hosts: ['h1'],
  }
}

export interface PlanParts {
  readonly id?: string
  readonly registry?: string
  readonly changes?: readonly Change[]
  readonly set?: readonly Declared[]
  readonly del?: readonly Key[]
  readonly hold?: readonly Holding[]
  readonly free?: readonly string[]
}

let counter = 0

/** A plan by hand, with an id no other test plan of this process has. */
export function planOf(base: number, parts: PlanParts): Plan {
  const changes = parts.changes ?? []
  const count = (action: Change['action']): number => changes.filter((c) => c.action === action).length
  return {
    id: parts.id ?? `p-${(counter++).toString(16).padStart(8, '0')}`,
    base,
    registry: parts.registry ?? 'ml2 (test)',
    changes,
    ops: { set: parts.set ?? [], del: parts.del ?? [] },
    allocations: { set: parts.hold ?? [], del: parts.free ?? [] },
    notes: [],
    blocked: [],
    hosts: ['h1'],
    summary: { create: count('create'), update: count('update'), delete: count('delete'), recreate: count('recreate') },
  }
}

export async function allRows(store: Pick<Store, 'resources'>, revision?: number): Promise<readonly ResourceRow[]> {
  const rows: ResourceRow[] = []
  for await (const page of store.resources(revision)) rows.push(...page)
  return rows
}
