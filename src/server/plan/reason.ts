import { compareText, displayKey, type Key } from '../../model/key.ts'
import type { Resource } from '../../model/resource.ts'
import { type AttributeDiff, topLevel } from './attributes.ts'
import type { Action } from './types.ts'

/** What is known of a change before its reason is. */
export interface Draft {
  readonly action: Action
  readonly before: Resource | undefined
  readonly after: Resource | undefined
  readonly diff: AttributeDiff
}

/** At most this many causes are named. */
const CAUSES = 3

/** What reasons are taken from: which resources were written, who takes for granted what nobody wrote, and what else changes. */
export interface Causes {
  readonly written: ReadonlySet<Key>
  readonly impliedBy: ((key: Key) => Key | undefined) | undefined
  /** Nobody had to write it for it to be there, and whoever took it for granted does so no more. */
  readonly abandoned: (key: Key) => boolean
  readonly drafts: ReadonlyMap<Key, Draft>
}

/**
 * Why a resource changes: it was written or removed, another one takes it for granted, or it read something that changes in the same plan (`network blue: mtu`).
 * `reads` are the keys its value was made from, before and after.
 */
export function reasonOf(key: Key, draft: Draft, { written, impliedBy, abandoned, drafts }: Causes, reads: readonly Key[]): string {
  if (draft.action === 'delete') return abandoned(key) ? 'nobody uses it any more' : 'removed from the repo'
  const user = written.has(key) ? impliedBy?.(key) : undefined
  if (user !== undefined) return `${displayKey(user)} uses it`
  if (written.has(key)) return 'written'
  const causes = [...new Set(reads)].filter((read) => read !== key && drafts.has(read)).sort(compareText)
  // What was written itself explains more than what only follows, too.
  const roots = causes.filter((read) => written.has(read) || drafts.get(read)?.action === 'delete')
  const named = (roots.length > 0 ? roots : causes).map((read) => describe(read, drafts.get(read)))
  if (named.length === 0) return 'something else changed'
  const more = named.length - CAUSES
  return [...named.slice(0, CAUSES), ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

function describe(key: Key, draft: Draft | undefined): string {
  if (draft?.action === 'create') return `${displayKey(key)}: new`
  if (draft?.action === 'delete') return `${displayKey(key)}: removed`
  const names = [...new Set((draft?.diff.changes ?? []).map((c) => topLevel(c.path)))]
  return `${displayKey(key)}: ${names.join(', ')}`
}
