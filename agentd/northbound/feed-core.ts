import type { Scope, ScopeDelta, ScopeVersion } from '../../src/model/scope.ts'
import type { Received } from '../../src/wire/codec.ts'
import type { HelloReply, Move, Pull, PullReply, ReportReply, UpdateHeader } from '../../src/wire/messages.ts'
import { adoptContent, applyDelta, EMPTY_SCOPE, type HeldScopes, shiftNeedsDigest } from './held.ts'

/*
 * What an agent knows of the server's wishes, as a value and its transitions: no socket, clock or timer. Messages may be lost, doubled,
 * reordered, late or left out: `seq` orders targets, versions order contents, and whatever is missing is asked for again.
 */

/** A complete set at exactly one target. */
export interface TargetSet {
  readonly revision: number
  /** `setDigest` over scope → version. */
  readonly digest: string
  /** `saved`: from this host's disk, the server has not been heard yet. */
  readonly source: 'server' | 'saved'
  /** What the revision was made from, as the server says it. */
  readonly commit?: string
  readonly scopes: HeldScopes
}

export interface FeedTarget {
  readonly revision: number
  /** -1: from an earlier life of the server, or from disk. */
  readonly seq: number
  readonly needs: ReadonlyMap<Scope, ScopeVersion>
  readonly digest: string
  readonly commit?: string | undefined
}

export interface FeedState {
  /** The server's life that answered `hello`; undefined: say hello first. */
  readonly epoch: string | undefined
  readonly target: FeedTarget | undefined
  /** The highest `seq` heard of in this epoch; above the target's own it means that the target is stale. */
  readonly heardSeq: number
  /** Ask for the target though nothing says that it is stale. */
  readonly probe: boolean
  /** Subscribed, and nothing heard yet: what was published in between is lost. */
  readonly deaf: boolean
  /** What is at hand; on the way to a target it is a mixture, and is not shown to anybody. */
  readonly held: HeldScopes
  /** Deltas that do not fit yet: an earlier one is on its way. */
  readonly stash: readonly ScopeDelta[]
  /** Digest of the last set that was offered. */
  readonly offered: string | undefined
  /** The last offer came from disk, and an empty one is to be offered again once the server says the same: only then it is to be acted on. */
  readonly unheard: boolean
}

export type FeedEvent =
  | { readonly type: 'hello'; readonly reply: HelloReply }
  | { readonly type: 'subscribed' }
  | { readonly type: 'received'; readonly message: Received }
  | { readonly type: 'pulled'; readonly reply: PullReply }
  | { readonly type: 'reported'; readonly reply: ReportReply }
  | { readonly type: 'silence' }
  | { readonly type: 'refused' }

export interface FeedStep {
  readonly state: FeedState
  /** Set when a set other than the last offered one has become complete. */
  readonly offer: TargetSet | undefined
}

/** Deltas kept while something before them is missing; beyond it the pull does the work. */
const STASH_LIMIT = 1000

export const NEW_FEED: FeedState = {
  epoch: undefined,
  target: undefined,
  heardSeq: -1,
  probe: false,
  deaf: false,
  held: new Map(),
  stash: [],
  offered: undefined,
  unheard: false,
}

/** A state that starts from what the disk holds; the set is offered at once, with or without a server. */
export function feedFromDisk(saved: { readonly revision: number; readonly scopes: HeldScopes }): FeedStep {
  const needs = new Map([...saved.scopes].map(([scope, held]) => [scope, held.version]))
  const target: FeedTarget = { revision: saved.revision, seq: -1, needs, digest: shiftNeedsDigest(undefined, needs) }
  const state = { ...NEW_FEED, target, held: saved.scopes, offered: target.digest, unheard: true }
  return { state, offer: { revision: saved.revision, digest: target.digest, source: 'saved', scopes: saved.scopes } }
}

export function stepFeed(state: FeedState, event: FeedEvent): FeedStep {
  switch (event.type) {
    case 'hello':
      return settle(greet(state, event.reply))
    case 'subscribed':
      return { state: { ...state, deaf: true }, offer: undefined }
    case 'received':
      return receive(state, event.message)
    case 'pulled':
      return pulled(state, event.reply)
    case 'reported':
      return settle(reported(state, event.reply))
    case 'silence':
      return { state: { ...state, probe: true }, offer: undefined }
    case 'refused':
      return { state: { ...state, epoch: undefined }, offer: undefined }
  }
}

/** What to ask the server for now; undefined: nothing is missing. A function of the state, so that no lost answer can be forgotten. */
export function nextRequest(
  state: FeedState,
): { readonly type: 'hello' } | { readonly type: 'pull'; readonly scopes: NonNullable<Pull['scopes']> } | undefined {
  if (state.epoch === undefined) return { type: 'hello' }
  const stale = state.target === undefined || state.target.seq < state.heardSeq || state.probe
  const scopes = missingScopes(state).map((scope) => {
    const have = state.held.get(scope)?.version
    return have === undefined ? { scope } : { scope, have }
  })
  return stale || scopes.length > 0 ? { type: 'pull', scopes } : undefined
}

/** Scopes of the target that are not at hand in the right version, sorted. */
export function missingScopes(state: FeedState): Scope[] {
  const missing: Scope[] = []
  for (const [scope, version] of state.target?.needs ?? []) if (state.held.get(scope)?.version !== version) missing.push(scope)
  return missing.sort()
}

function greet(state: FeedState, reply: HelloReply): FeedState {
  const target = state.target === undefined ? undefined : { ...state.target, seq: -1 }
  const fresh = { ...state, epoch: reply.epoch, heardSeq: reply.seq, target, stash: [] }
  return confirm(fresh, reply)
}

function receive(state: FeedState, message: Received): FeedStep {
  if (message.type === 'ask') return { state: { ...state, deaf: false }, offer: undefined }
  // The server was started again: what it counts from now on, `hello` says.
  if (message.header.epoch !== state.epoch) return { state: { ...state, epoch: undefined }, offer: undefined }
  if (message.type === 'heartbeat') {
    const missed = state.deaf && message.header.revision !== state.target?.revision
    return { state: { ...state, deaf: false, probe: state.probe || missed }, offer: undefined }
  }
  const newer = message.header.seq > (state.target?.seq ?? -1)
  const heard = { ...state, deaf: false }
  const adopted = newer ? adopt(heard, message.header, needsOf(message.header)) : heard
  return settle({ ...adopted, stash: [...adopted.stash, ...message.deltas].slice(-STASH_LIMIT) })
}

function pulled(state: FeedState, reply: PullReply): FeedStep {
  if (reply.epoch !== state.epoch) return { state: { ...state, epoch: undefined }, offer: undefined }
  // seq 0 answers a question about a named revision: no target. Of equal ones the answer wins: it is the truth, a message is a hint.
  const newer = reply.seq > 0 && reply.seq >= (state.target?.seq ?? -1)
  const adopted = newer ? adopt({ ...state, probe: false }, reply, needsOf(reply)) : state
  const held = new Map(adopted.held)
  for (const content of reply.contents) {
    if (adopted.target?.needs.get(content.scope) !== content.version) continue
    const scope = adoptContent(held.get(content.scope), content)
    if (scope !== undefined) held.set(content.scope, scope)
  }
  return settle({ ...adopted, held, stash: [...adopted.stash, ...reply.deltas] })
}

function reported(state: FeedState, reply: ReportReply): FeedState {
  if (reply.epoch !== state.epoch) return { ...state, epoch: undefined }
  if (state.target !== undefined && reply.seq === state.target.seq && reply.digest !== state.target.digest) return { ...state, probe: true }
  return confirm({ ...state, heardSeq: Math.max(state.heardSeq, reply.seq) }, reply)
}

/** The server names its target by digest: when it is what we are at already, only the numbers move, and there is nothing to probe for. */
function confirm(state: FeedState, told: Told & { readonly digest: string }): FeedState {
  const { target } = state
  if (target === undefined || told.seq < target.seq || told.digest !== target.digest) return state
  return { ...state, probe: false, target: { ...target, seq: told.seq, revision: told.revision, commit: told.commit } }
}

type Told = Omit<Move, 'epoch'> & { readonly revision: number }

function adopt(state: FeedState, { revision, seq, commit }: Told, needs: FeedTarget['needs']): FeedState {
  const target: FeedTarget = { revision, seq, needs, digest: shiftNeedsDigest(state.target, needs), commit }
  return { ...state, target, heardSeq: Math.max(state.heardSeq, seq) }
}

/** Brings scopes forward with the deltas at hand; when the set is complete, it is offered, and everything else is forgotten. */
function settle(state: FeedState): FeedStep {
  const { target } = state
  if (target === undefined) return { state, offer: undefined }
  const advanced = advance(state, target)
  if (missingScopes(advanced).length > 0) return { state: advanced, offer: undefined }
  const scopes = onlyNeeded(advanced.held, target)
  const done = { ...advanced, held: scopes, stash: [], offered: target.digest, unheard: state.unheard && target.seq < 0 }
  const sameAgain = state.offered === target.digest
  const emptyConfirmed = state.unheard && scopes.size === 0 && target.seq >= 0
  if (sameAgain && !emptyConfirmed) return { state: done, offer: undefined }
  const { revision, digest, commit } = target
  return { state: done, offer: { revision, digest, source: 'server', scopes, ...(commit === undefined ? {} : { commit }) } }
}

function advance(state: FeedState, target: FeedTarget): FeedState {
  const held = new Map(state.held)
  const left = new Map<Scope, ScopeDelta[]>()
  for (const delta of state.stash) {
    if (target.needs.has(delta.scope)) left.set(delta.scope, [...(left.get(delta.scope) ?? []), delta])
  }
  for (const scope of missingScopes(state)) {
    const wanted = target.needs.get(scope)
    const deltas = left.get(scope) ?? []
    let now = held.get(scope) ?? EMPTY_SCOPE
    while (now.version !== wanted) {
      const fitting = deltas.filter((d) => d.from === now.version)
      const delta = fitting.find((d) => d.to === wanted) ?? fitting[0]
      if (delta === undefined) break
      // Each is tried once: a pair that leads in a circle ends, and a bad one is not met again.
      deltas.splice(deltas.indexOf(delta), 1)
      now = applyDelta(now, delta) ?? now
    }
    if (now !== EMPTY_SCOPE || wanted === EMPTY_SCOPE.version) held.set(scope, now)
  }
  return { ...state, held, stash: [...left.values()].flat() }
}

function onlyNeeded(held: HeldScopes, target: FeedTarget): HeldScopes {
  if (held.size === target.needs.size) return held
  return new Map([...held].filter(([scope]) => target.needs.has(scope)))
}

function needsOf(told: Pick<UpdateHeader, 'needs'>): FeedTarget['needs'] {
  return new Map(Object.entries(told.needs) as [Scope, ScopeVersion][])
}
