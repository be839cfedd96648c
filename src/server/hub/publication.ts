import { PMap } from '../../lib/pmap.ts'
import type { Intent } from '../../model/intent.ts'
import { EMPTY_VERSION, type IntentKey, type Scope, type ScopeDelta } from '../../model/scope.ts'
import { encodeText } from '../../wire/codec.ts'
import { hostTopic, MAX_PUBLISHED_DELTA, OLDEST_WIRE_VERSION, type UpdateHeader } from '../../wire/messages.ts'
import type { ScopeState } from '../engine/types.ts'
import { commitOf, type HostMove, type LedgerWorld, type ScopeChange, scopeState } from './ledger.ts'

/** Bytes of deltas in one PUB message; whatever is beyond them travels by pull. */
const MAX_PUBLISHED_TOTAL = 4 * 1024 * 1024
/** No intent is smaller on the wire than this: a scope with more changes than fit is not even serialised. */
const LEAST_INTENT_BYTES = 64

/** Frames of one PUB message as text: topic, header, deltas. */
export type Frames = readonly string[]

/**
 * One message for each host whose set changed. A delta is computed and serialised once, whoever needs it; one that is too large is left out, and the agent pulls it.
 * `versionOf`: the wire version agreed on with a host; with one that has not said hello yet, the oldest.
 */
export function* publications(
  epoch: string,
  moves: Iterable<HostMove>,
  versionOf: (host: string) => number | undefined = () => undefined,
): IterableIterator<Frames> {
  const shared: Shared = { deltas: new Map(), needs: new Map() }
  for (const move of moves) yield publication({ epoch, v: versionOf(move.host) ?? OLDEST_WIRE_VERSION }, move, shared)
}

/** What is made once for all hosts: deltas by scope and versions, and each scope's member of `needs`. */
interface Shared {
  readonly deltas: Map<string, string | undefined>
  readonly needs: Map<LedgerWorld, Map<Scope, string>>
}

function publication(from: Pick<UpdateHeader, 'epoch' | 'v'>, move: HostMove, shared: Shared): Frames {
  const deltas: UpdateHeader['deltas'][number][] = []
  const frames: string[] = []
  let room = MAX_PUBLISHED_TOTAL
  for (const change of move.changes) {
    if (change.after === undefined) continue
    const frame = sharedFrame(change, shared)
    if (frame === undefined || frame.length > room) continue
    room -= frame.length
    frames.push(frame)
    deltas.push({ scope: change.scope, from: change.before?.version ?? EMPTY_VERSION, to: change.after.version })
  }
  const header: Omit<UpdateHeader, 'needs'> = {
    v: from.v,
    type: 'update',
    host: move.host,
    epoch: from.epoch,
    seq: move.target.seq,
    revision: move.target.revision,
    ...commitOf(move.target),
    deltas,
  }
  // Hosts need many scopes and share most of them: the members are put together as text, which costs a tenth of making objects of them.
  const text = `${JSON.stringify(header).slice(0, -1)},"needs":{${needsText(move.world, move.host, shared.needs)}}}`
  return [hostTopic(move.host), text, ...frames]
}

function needsText(world: LedgerWorld, host: string, memo: Shared['needs']): string {
  let members = memo.get(world)
  if (members === undefined) memo.set(world, (members = new Map()))
  const parts: string[] = []
  for (const scope of world.needs.get(host)?.keys() ?? []) {
    let member = members.get(scope)
    if (member === undefined) members.set(scope, (member = `${JSON.stringify(scope)}:"${scopeState(world, scope).version}"`))
    parts.push(member)
  }
  return parts.join(',')
}

function sharedFrame(change: ScopeChange, { deltas }: Shared): string | undefined {
  const key = `${change.scope}\0${change.before?.version}\0${change.after?.version}`
  if (!deltas.has(key)) deltas.set(key, frameOf(change))
  return deltas.get(key)
}

function frameOf(change: ScopeChange): string | undefined {
  const delta = deltaBetween(change.scope, change.before, change.after, MAX_PUBLISHED_DELTA / LEAST_INTENT_BYTES)
  if (delta === undefined) return undefined
  const frame = encodeText(delta)
  return Buffer.byteLength(frame) > MAX_PUBLISHED_DELTA ? undefined : frame
}

/** What turns one state of a scope into another; undefined when more than `limit` intents take part. */
export function deltaBetween(
  scope: Scope,
  before: ScopeState | undefined,
  after: ScopeState | undefined,
  limit: number,
): ScopeDelta | undefined {
  const set: Record<IntentKey, Intent> = Object.create(null)
  const del: IntentKey[] = []
  let count = 0
  if (after !== undefined && before === undefined) {
    if (after.intents.size > limit) return undefined
    for (const [key, intent] of after.intents) set[key] = intent
  } else if (after !== undefined && before !== undefined) {
    for (const change of PMap.changes(before.intents, after.intents)) {
      if (++count > limit) return undefined
      if (change.after === undefined) del.push(change.key)
      else set[change.key] = change.after
    }
  }
  return { scope, from: before?.version ?? EMPTY_VERSION, to: after?.version ?? EMPTY_VERSION, set, del }
}
