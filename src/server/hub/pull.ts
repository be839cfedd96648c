import { EMPTY_VERSION, type Scope, type ScopeVersion } from '../../model/scope.ts'
import { type HelloReply, type Pull, type PullReply, type Refusal, WIRE_VERSION } from '../../wire/messages.ts'
import type { ScopeState } from '../engine/types.ts'
import { type Ledger, type LedgerWorld, needsOf, scopeState, stateAtVersion } from './ledger.ts'
import { deltaBetween } from './publication.ts'
import { unknownHostMessage } from './security.ts'

/** What a pull is answered with; the pieces are serialised one by one, so that a large answer never holds up the loop. */
export interface PullPlan {
  readonly head: Omit<PullReply, 'contents' | 'deltas' | 'more'>
  /** Found one by one, as they are asked for. */
  readonly pieces: Iterable<PullPiece>
}

export type PullPiece =
  | { readonly as: 'content'; readonly scope: Scope; readonly state: ScopeState }
  | { readonly as: 'delta'; readonly scope: Scope; readonly from: ScopeVersion; readonly state: ScopeState; readonly before: ScopeState }

/** A delta with more intents than this share of the scope's is not worth it: the whole content can be cached for others. */
const DELTA_SHARE = 0.5

/**
 * Pure: which scopes go out in which form. Scopes that the host does not need (any more) are left out, as are those it has at the right version;
 * `needs` tells it so.
 */
export function planPull(ledger: Ledger, epoch: string, request: Pull): PullPlan | Refusal {
  const target = ledger.targets.get(request.host)
  if (target === undefined) return refusal(request, 'unknown-host', unknownHostMessage(request.host))
  const revision = request.revision ?? target.revision
  const world = ledger.worlds.get(revision)
  if (world === undefined) {
    return refusal(request, 'unknown-revision', `revision ${revision} is not kept; the newest is ${ledger.latest}`)
  }
  return {
    head: {
      v: WIRE_VERSION,
      id: request.id,
      type: 'pull',
      epoch,
      seq: request.revision === undefined ? target.seq : 0,
      revision,
      needs: needsOf(world, request.host),
    },
    pieces: piecesOf(ledger, world, request),
  }
}

/** The reply to hello; `endpoints` and the like come from the hub. */
export function helloReply(
  ledger: Ledger,
  request: { readonly id: string; readonly host: string },
  server: Pick<HelloReply, 'installation' | 'epoch' | 'endpoints' | 'heartbeat_ms'>,
): HelloReply | Refusal {
  const target = ledger.targets.get(request.host)
  if (target === undefined) return refusal(request, 'unknown-host', unknownHostMessage(request.host))
  return { v: WIRE_VERSION, id: request.id, type: 'hello', ...server, seq: target.seq, revision: target.revision, digest: target.digest }
}

export function refusal(request: { readonly id: string }, code: Refusal['code'], message: string): Refusal {
  return { v: WIRE_VERSION, id: request.id, type: 'refused', code, message }
}

function* piecesOf(ledger: Ledger, world: LedgerWorld, request: Pull): IterableIterator<PullPiece> {
  const needed = world.needs.get(request.host)
  for (const { scope, have } of request.scopes ?? []) {
    if (needed?.has(scope) !== true) continue
    const state = scopeState(world, scope)
    if (state.version === have) continue
    const before = have === undefined || have === EMPTY_VERSION ? undefined : stateAtVersion(ledger, scope, have)
    const limit = state.intents.size * DELTA_SHARE
    const small = before !== undefined && deltaBetween(scope, before, state, limit) !== undefined
    if (have !== undefined && before !== undefined && small) yield { as: 'delta', scope, from: have, state, before }
    else yield { as: 'content', scope, state }
  }
}
