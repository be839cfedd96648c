import { type Lowered, NOTHING } from '../../kinds/kind.ts'
import { entryWords, formatWords, parseWords, type Words, xorWords } from '../../lib/digest.ts'
import { sameJson } from '../../lib/json.ts'
import { PMap, type PMapDraft } from '../../lib/pmap.ts'
import type { Intent } from '../../model/intent.ts'
import { compareText, type Key } from '../../model/key.ts'
import { EMPTY_VERSION, type IntentKey, type Scope, type ScopeVersion } from '../../model/scope.ts'
import { type Fact, lowerReader } from './facts.ts'
import { needChanges } from './needs.ts'
import { recordReads } from './reads.ts'
import type { Run } from './run.ts'
import { makeView, SET_ASIDE } from './view.ts'

interface ScopeDraft {
  readonly sum: Words
  readonly intents: PMapDraft<IntentKey, Intent>
}

/** Lowers everything that is due, once all values stand, and brings scopes and needs up to date. */
export function lowerAll(run: Run): void {
  const drafts = new Map<Scope, ScopeDraft>()
  const needs = needChanges()
  for (const key of [...run.lower].sort(compareText)) {
    const before = run.state.lowered.get(key) ?? NOTHING
    const after = lowerOne(run, key)
    replaceIntents(run, drafts, before, after)
    needs.replace(before, after)
    if (after.intents.length + after.needs.length + (after.ways?.length ?? 0) === 0) run.state.lowered.delete(key)
    else run.state.lowered.set(key, after)
  }
  needs.finish(run)
  for (const [scope, draft] of drafts) finishScope(run, scope, draft)
}

function lowerOne(run: Run, key: Key): Lowered {
  const resource = run.state.resources.get(key)
  const declared = run.state.declared.get(key)
  const kind = resource === undefined ? undefined : run.kinds.byName.get(resource.kind)
  const reads = new Set<Fact>()
  let lowered = NOTHING
  try {
    if (resource !== undefined && declared !== undefined && kind !== undefined)
      lowered = kind.lower(resource, makeView(run, declared, reads, true))
  } catch (thrown) {
    if (thrown !== SET_ASIDE) throw thrown
  }
  // What the value read already wakes the lowering too.
  for (const fact of run.state.reads.get(key) ?? []) reads.delete(fact)
  recordReads(run, lowerReader(key), reads)
  return lowered
}

function replaceIntents(run: Run, drafts: Map<Scope, ScopeDraft>, before: Lowered, after: Lowered): void {
  if (before === after) return
  if (before.intents.length === 0) {
    for (const added of after.intents) addIntent(run, drafts, added)
    return
  }
  const id = (i: Lowered['intents'][number]): string => `${i.scope}\0${i.key}`
  const next = new Map(after.intents.map((i) => [id(i), i]))
  for (const old of before.intents) {
    const now = next.get(id(old))
    if (now !== undefined && sameJson(old.intent, now.intent)) {
      next.delete(id(old))
      continue
    }
    const draft = draftScope(run, drafts, old.scope)
    xorWords(draft.sum, entryWords(old.key, old.intent))
    draft.intents.delete(old.key)
  }
  for (const added of next.values()) addIntent(run, drafts, added)
}

function addIntent(run: Run, drafts: Map<Scope, ScopeDraft>, { scope, key, intent }: Lowered['intents'][number]): void {
  const draft = draftScope(run, drafts, scope)
  if (draft.intents.has(key)) throw new Error(`two resources lower to ${key} in ${scope}`)
  xorWords(draft.sum, entryWords(key, intent))
  draft.intents.set(key, intent)
}

function draftScope(run: Run, drafts: Map<Scope, ScopeDraft>, scope: Scope): ScopeDraft {
  let draft = drafts.get(scope)
  if (draft === undefined) {
    const state = run.state.scopes.get(scope)
    draft = { sum: parseWords(state?.version ?? EMPTY_VERSION), intents: (state?.intents ?? PMap.empty<IntentKey, Intent>()).draft() }
    drafts.set(scope, draft)
  }
  return draft
}

function finishScope(run: Run, scope: Scope, draft: ScopeDraft): void {
  const intents = draft.intents.done()
  const version = formatWords(draft.sum) as ScopeVersion
  if (version === (run.state.scopes.get(scope)?.version ?? EMPTY_VERSION)) return
  if (intents.size === 0) run.state.scopes.delete(scope)
  else run.state.scopes.set(scope, { version, intents })
  run.scopes.add(scope)
  for (const [host] of run.state.hosts.inner(scope)) run.hosts.add(host)
}
