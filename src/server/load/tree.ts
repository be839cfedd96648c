import { groupBy } from '../../lib/group-by.ts'
import { sameJson } from '../../lib/json.ts'
import { PMap, type PMapDraft } from '../../lib/pmap.ts'
import { draftNested, type NestedDraft } from '../../lib/pmap-nested.ts'
import { compareIssues, type Issue, type Place } from '../../model/issue.ts'
import { compareText, displayKey, type Key } from '../../model/key.ts'
import type { Declared, LoadedEntry, LoadedFile } from '../../model/resource.ts'
import type { DeclaredOps } from '../engine/types.ts'

/**
 * All files of the repo as one desired state. Immutable; a successor shares what did not change, and making it costs what the changed files
 * hold. Built from the same files it is the same, whatever the order and the number of steps.
 */
export interface Tree {
  /** By path. */
  readonly files: PMap<string, LoadedFile>
  readonly declared: PMap<Key, Declared>
  /** Where each resource stands; of several, the first by file and line. */
  readonly places: PMap<Key, Place>
  /** Mistakes of single files, by path: only of files that have some. */
  readonly fileIssues: PMap<string, readonly Issue[]>
  /** Every entry of keys that are written more than once, in order of file and line. */
  readonly duplicates: PMap<Key, readonly LoadedEntry[]>
  /** What files take for granted, written anywhere or not: by key, then path. */
  readonly implied: PMap<Key, PMap<string, LoadedEntry>>
  /** Of keys that nobody wrote: the first by file that is there all the same. */
  readonly standIns: PMap<Key, LoadedEntry>
}

export const EMPTY_TREE: Tree = {
  files: PMap.empty(),
  declared: PMap.empty(),
  places: PMap.empty(),
  fileIssues: PMap.empty(),
  duplicates: PMap.empty(),
  implied: PMap.empty(),
  standIns: PMap.empty(),
}

export interface TreeStep {
  readonly tree: Tree
  /** Keys whose declared value is not what it was; moves between files and new positions do not count. */
  readonly touched: ReadonlySet<Key>
}

/** Replaces the files named in `changed` and takes out those in `removed`. */
export function withFiles(tree: Tree, changed: readonly LoadedFile[], removed: readonly string[] = []): TreeStep {
  const draft = {
    files: tree.files.draft(),
    declared: tree.declared.draft(),
    places: tree.places.draft(),
    fileIssues: tree.fileIssues.draft(),
    duplicates: tree.duplicates.draft(),
    implied: draftNested(tree.implied),
    standIns: tree.standIns.draft(),
  }
  const seen = new Set<Key>()
  for (const path of [...changed.map((f) => f.path), ...removed]) takeOut(draft, path, seen)
  for (const file of changed) putIn(draft, file, seen)
  const touched = new Set<Key>()
  for (const key of seen) {
    standIn(draft, key)
    if (settleValue(draft, tree, key)) touched.add(key)
  }
  const next: Tree = {
    files: draft.files.done(),
    declared: draft.declared.done(),
    places: draft.places.done(),
    fileIssues: draft.fileIssues.done(),
    duplicates: draft.duplicates.done(),
    implied: draft.implied.done(),
    standIns: draft.standIns.done(),
  }
  return { tree: next, touched }
}

interface Draft {
  readonly files: PMapDraft<string, LoadedFile>
  readonly declared: PMapDraft<Key, Declared>
  readonly places: PMapDraft<Key, Place>
  readonly fileIssues: PMapDraft<string, readonly Issue[]>
  readonly duplicates: PMapDraft<Key, readonly LoadedEntry[]>
  readonly implied: NestedDraft<Key, string, LoadedEntry>
  readonly standIns: PMapDraft<Key, LoadedEntry>
}

function takeOut(draft: Draft, path: string, seen: Set<Key>): void {
  const file = draft.files.get(path)
  if (file === undefined) return
  draft.files.delete(path)
  draft.fileIssues.delete(path)
  for (const { declared, implied } of file.entries) {
    seen.add(declared.key)
    if (implied !== undefined) draft.implied.delete(declared.key, path)
    else
      setEntries(
        draft,
        declared.key,
        entriesOf(draft, declared.key).filter((e) => e.place.file !== path),
      )
  }
}

function putIn(draft: Draft, file: LoadedFile, seen: Set<Key>): void {
  draft.files.set(file.path, file)
  if (file.issues.length > 0) draft.fileIssues.set(file.path, file.issues)
  for (const entry of file.entries) {
    if (entry.implied === undefined) continue
    seen.add(entry.declared.key)
    draft.implied.set(entry.declared.key, file.path, entry)
  }
  // Grouped first: a file with the same resource ten thousand times costs ten thousand steps.
  const written = file.entries.filter((e) => e.implied === undefined)
  for (const [key, own] of groupBy(written, (e) => e.declared.key)) {
    seen.add(key)
    const others = entriesOf(draft, key)
    setEntries(draft, key, others.length === 0 && own.length === 1 ? own : [...others, ...own].sort(byPlace))
  }
}

/** Those that somebody wrote. */
function entriesOf(draft: Draft, key: Key): readonly LoadedEntry[] {
  if (draft.standIns.has(key)) return []
  const several = draft.duplicates.get(key)
  if (several !== undefined) return several
  const declared = draft.declared.get(key)
  const place = draft.places.get(key)
  return declared === undefined || place === undefined ? [] : [{ declared, place }]
}

function setEntries(draft: Draft, key: Key, entries: readonly LoadedEntry[]): void {
  const first = entries[0]
  draft.standIns.delete(key)
  if (first === undefined) {
    draft.declared.delete(key)
    draft.places.delete(key)
  } else {
    draft.declared.set(key, first.declared)
    draft.places.set(key, first.place)
  }
  if (entries.length > 1) draft.duplicates.set(key, entries)
  else draft.duplicates.delete(key)
}

/** Where nobody wrote a resource that is taken for granted, the first by file that takes it so makes it be there. */
function standIn(draft: Draft, key: Key): void {
  if (draft.declared.has(key) && !draft.standIns.has(key)) return
  let first: LoadedEntry | undefined
  for (const [path, entry] of draft.implied.inner(key)) if (first === undefined || path < first.place.file) first = entry
  setEntries(draft, key, first === undefined ? [] : [first])
  if (first !== undefined) draft.standIns.set(key, first)
}

/** Keeps the old object where the value is equal, so that later comparisons are by identity. True when the value changed. */
function settleValue(draft: Draft, before: Tree, key: Key): boolean {
  const old = before.declared.get(key)
  const now = draft.declared.get(key)
  if (old === now) return false
  if (old === undefined || now === undefined || !sameJson(old.spec, now.spec)) return true
  draft.declared.set(key, old)
  return false
}

function byPlace(a: LoadedEntry, b: LoadedEntry): number {
  return compareText(a.place.file, b.place.file) || a.place.line - b.place.line || a.place.col - b.place.col
}

/** Every mistake of the tree, sorted: those of single files and resources written twice. */
export function treeIssues(tree: Tree): readonly Issue[] {
  const issues: Issue[] = []
  for (const own of tree.fileIssues.values()) issues.push(...own)
  for (const [key, entries] of tree.duplicates) issues.push(...duplicateIssues(key, entries))
  return issues.sort(compareIssues)
}

/** One issue for every occurrence but the first; each names the first. */
function duplicateIssues(key: Key, entries: readonly LoadedEntry[]): Issue[] {
  const [first, ...others] = entries
  if (first === undefined) return []
  const { kind, name } = first.declared
  const what = kind === name ? `the ${kind} file's settings are` : `${displayKey(key)} is`
  return others.map(({ place }) => ({
    code: 'E0302',
    severity: 'error',
    message: `${what} written twice`,
    place,
    label: 'again here',
    related: [{ message: 'first written here', place: first.place }],
    hint: 'remove one of the two, or give it another name',
  }))
}

/**
 * What has to be done to `base` so that it declares what the tree does. With `touched`, only those keys are looked at: the caller vouches
 * that all others are equal.
 */
export function opsAgainst(tree: Tree, base: PMap<Key, Declared>, touched?: Iterable<Key>): DeclaredOps {
  const set: Declared[] = []
  const del: Key[] = []
  for (const key of touched ?? allKeys(tree, base)) {
    const now = tree.declared.get(key)
    const old = base.get(key)
    if (now === undefined && old !== undefined) del.push(key)
    else if (now !== undefined && now !== old && (old === undefined || !sameJson(old.spec, now.spec))) set.push(now)
  }
  set.sort((a, b) => compareText(a.key, b.key))
  return { set, del: del.sort(compareText) }
}

function* allKeys(tree: Tree, base: PMap<Key, Declared>): Iterable<Key> {
  yield* tree.declared.keys()
  for (const key of base.keys()) if (!tree.declared.has(key)) yield key
}
