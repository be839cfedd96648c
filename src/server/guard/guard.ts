import type { Site } from '../../kinds/kind.ts'
import { SITE_KEY } from '../../kinds/site/spec.ts'
import { count, listed } from '../../lib/text.ts'
import { displayKey, type Key, keyParts } from '../../model/key.ts'
import type { Holding, World } from '../engine/types.ts'
import type { Change, GuardName, GuardVerdict, Plan } from '../plan/types.ts'

export interface GuardInput {
  readonly base: World
  readonly world: World
  readonly changes: readonly Change[]
  readonly allocations: Plan['allocations']
  readonly guards: Site['guards']
  /** Files that are gone from the tree although git still has them, or while git is at work. */
  readonly vanished?: readonly VanishedFile[]
  /** What agents report a resource to hold, for a server that has lost its own memory. */
  readonly reported?: (key: Key) => readonly Pick<Holding, 'pool' | 'value'>[]
}

export interface VanishedFile {
  readonly file: string
  readonly because: 'git-index' | 'git-head' | 'git-operation'
}

/** What git's view of a reading calls vanished: paths that the commit holds and the tree lacks. */
export function vanishedFromHead(paths: readonly string[]): readonly VanishedFile[] {
  return paths.map((file) => ({ file, because: 'git-head' }))
}

/** Reasons to refuse the plan, in a fixed order. Thresholds come from the site file; counting stops as soon as a ratio is known to be kept. */
export function guardPlan(input: GuardInput): readonly GuardVerdict[] {
  const deleted = input.changes.filter((c) => c.action === 'delete')
  return [
    ...emptyTree(input),
    ...otherInstallation(input),
    ...vanishedFiles(input),
    ...deleteRatio(input, deleted),
    ...deleteCount(input, deleted),
    ...renumber(input),
  ]
}

/** An empty tree is a wrong directory or a failed checkout, not a wish; nothing overrides this. A site file alone is one too: it declares nothing that runs. */
function emptyTree({ base, world }: GuardInput): readonly GuardVerdict[] {
  const had = base.declared.size - (base.declared.has(SITE_KEY) ? 1 : 0)
  const has = world.declared.size - (world.declared.has(SITE_KEY) ? 1 : 0)
  if (has > 0 || had === 0) return []
  const message = `the repo declares nothing, and ${count(had, 'resource')} would be deleted`
  return [
    { guard: 'empty-tree', message, cause: 'is this the right directory and branch? An empty repo never deletes anything', count: had },
  ]
}

/** A state file belongs to one installation: another name is most likely another repository, or another state file, than was meant. */
function otherInstallation({ base, world }: GuardInput): readonly GuardVerdict[] {
  const had = installationOf(base)
  const has = installationOf(world)
  if (had === '' || had === has) return []
  const message = `the state is of installation ${had}, and the repo is of ${has === '' ? 'one without a name' : has}`
  const cause = 'is this the right directory, and the right state file? A new name goes on everything that agents made'
  return [verdict('installation', message, cause, 1)]
}

function installationOf(world: World): string {
  return String(world.resources.get(SITE_KEY)?.spec['installation'] ?? '')
}

function vanishedFiles({ vanished = [] }: GuardInput): readonly GuardVerdict[] {
  if (vanished.length === 0) return []
  const names = vanished.map((v) => v.file).sort()
  const shown = listed([...names.slice(0, 3), ...(names.length > 3 ? [`${names.length - 3} more`] : [])])
  const message = `${shown} ${names.length === 1 ? 'is' : 'are'} gone from the directory`
  return [verdict('vanished-file', message, vanishedCause(vanished), names.length)]
}

function vanishedCause(vanished: readonly VanishedFile[]): string {
  if (vanished.some((v) => v.because === 'git-operation')) return 'a git operation is in progress'
  const where = vanished.some((v) => v.because === 'git-index') ? 'the index' : 'HEAD'
  return `git still has ${vanished.length === 1 ? 'it' : 'them'} in ${where}; git rm says that a file is meant to go`
}

function deleteRatio({ base, guards }: GuardInput, deleted: readonly Change[]): readonly GuardVerdict[] {
  const byKind = new Map<string, number>()
  for (const { key } of deleted) byKind.set(keyParts(key).kind, (byKind.get(keyParts(key).kind) ?? 0) + 1)
  return [...byKind.keys()].sort().flatMap((kind) => {
    const gone = byKind.get(kind) ?? 0
    // More of the kind than this, and the ratio is kept whatever the exact number.
    const enough = Math.max(guards.delete_ratio === 0 ? Number.POSITIVE_INFINITY : gone / guards.delete_ratio, guards.delete_ratio_min)
    const had = countKind(base, kind, enough)
    if (had < guards.delete_ratio_min || gone <= had * guards.delete_ratio) return []
    const percent = (x: number): string => `${(x * 100).toFixed(1).replace(/\.0$/, '')} %`
    const message = `${count(gone, kind)} of ${had} (${percent(gone / had)}) would be deleted, limit ${percent(guards.delete_ratio)}`
    return [verdict('delete-ratio', message, whence(deleted.filter((c) => keyParts(c.key).kind === kind)), gone)]
  })
}

/** Number of resources of a kind, counted no further than one past `enough`. */
function countKind(world: World, kind: string, enough: number): number {
  let found = 0
  for (const key of world.resources.keys()) {
    if (keyParts(key).kind === kind && ++found > enough) break
  }
  return found
}

function deleteCount({ guards }: GuardInput, deleted: readonly Change[]): readonly GuardVerdict[] {
  if (deleted.length <= guards.delete_count) return []
  const message = `${count(deleted.length, 'resource')} would be deleted, limit ${guards.delete_count}`
  return [verdict('delete-count', message, whence(deleted), deleted.length)]
}

/** Where the deleted resources stood: what an operator would look at first. */
function whence(deleted: readonly Change[]): string | undefined {
  const files = new Map<string, number>()
  for (const { place } of deleted) if (place !== undefined) files.set(place.file, (files.get(place.file) ?? 0) + 1)
  const top = [...files].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  const shown = top.slice(0, 3).map(([file, n]) => `${n} in ${file}`)
  if (shown.length === 0) return undefined
  return `they stood: ${[...shown, ...(top.length > 3 ? [`others in ${count(top.length - 3, 'file')} more`] : [])].join(', ')}`
}

/**
 * A value that Netloom chose for a resource that lives on must not become another: guests, peers and firewalls know it. It can happen when
 * the state file was lost, and the agents still hold the old values.
 */
function renumber(input: GuardInput): readonly GuardVerdict[] {
  const moves = input.allocations.set.filter((h) => h.source === 'auto').flatMap((h) => renumbered(h, input))
  const [first] = moves
  if (first === undefined) return []
  const owners = new Set(moves.map((m) => m.owner)).size
  const example = `${displayKey(first.owner)}: ${first.from} → ${first.to}`
  const message = `${count(owners, 'resource')} would get another address, MAC or segment, though nobody wrote one (${example})`
  return [verdict('renumber', message, first.cause, owners)]
}

interface Move {
  readonly owner: Key
  readonly from: string
  readonly to: string
  readonly cause: string
}

function renumbered(now: Holding, { base, world, reported }: GuardInput): readonly Move[] {
  const keeps = ({ pool, value }: Pick<Holding, 'pool' | 'value'>): boolean => {
    const held = world.allocations.held.get(`${pool}|${value}`)
    return held?.owner === now.owner && held.source !== 'reserved'
  }
  const samePool = (h: Pick<Holding, 'pool' | 'value'>): boolean => h.pool === now.pool && !keeps(h)
  const move = (from: string, cause: string): readonly Move[] => [{ owner: now.owner, from, to: now.value, cause }]
  const said = reported?.(now.owner) ?? []
  // Of several values in one pool, this is one that agents hold: it did not come in the place of another.
  if (said.some((h) => h.pool === now.pool && h.value === now.value)) return []
  const told = said.find(samePool)
  if (told !== undefined) return move(told.value, 'agents report that the old values are in use')
  if (!base.resources.has(now.owner)) return []
  const lost = (base.allocations.byOwner.get(now.owner) ?? [])
    .flatMap((id) => base.allocations.held.get(id) ?? [])
    .find((h) => h.source === 'auto' && samePool(h))
  return lost === undefined ? [] : move(lost.value, 'the old values were chosen before and are no longer kept')
}

function verdict(guard: GuardName, message: string, cause: string | undefined, n: number): GuardVerdict {
  return { guard, message, ...(cause === undefined ? {} : { cause }), count: n, override: `--allow ${guard}=${n}` }
}
