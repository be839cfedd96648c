import { setImmediate as yieldToLoop } from 'node:timers/promises'
import { encodeText } from '../../wire/codec.ts'
import type { ScopeState } from '../engine/types.ts'
import { type Ledger, type LedgerWorld, needsOf, scopeState, stateAtVersion } from './ledger.ts'
import { createTextCache, type TextCache } from './piece-cache.ts'
import { deltaBetween } from './publication.ts'
import type { Given, Piece, Want, WantedPiece } from './rpc-protocol.ts'

/*
 * The main thread's half of a pull: worlds are here and cannot be shared, so a scope becomes text here, once for all who ask a clerk for it. Everything else about a pull is the clerk's.
 */

/** Characters of one answer; a single larger scope travels alone. */
const GIVEN_BUDGET = 4 * 1024 * 1024
/** Characters of texts kept for other clerks. */
const MEMO_BUDGET = 32 * 1024 * 1024
/** A delta with more intents than this share of the scope's is not worth it: the whole content can be kept for others. */
const DELTA_SHARE = 0.5
/** Intents serialised between two looks at the clock. */
const STRIDE = 200
/** Milliseconds of work before the loop gets its turn. */
const SLICE_MS = 4

/** Awaited between pieces of work; returns at once unless the slice is used up. */
export type Pause = () => Promise<void>

export interface Giver {
  /** Answered in order, in slices. */
  take(want: Want, answer: (given: Given) => void): void
}

/** `shared`: several clerks ask, so what was made for one is kept for the others. */
export function createGiver(ledger: () => Ledger | undefined, shared: boolean): Giver {
  const memo = createTextCache<Piece>(shared ? MEMO_BUDGET : 0)
  const line: { readonly want: Want; readonly answer: (given: Given) => void }[] = []
  let isWorking = false

  async function work(): Promise<void> {
    isWorking = true
    const pause = createPause()
    for (let next = line.shift(); next !== undefined; next = line.shift()) {
      const now = ledger()
      if (now !== undefined) next.answer(await give(now, next.want, memo, pause))
      await pause()
    }
    isWorking = false
  }

  return {
    take(want, answer) {
      line.push({ want, answer })
      if (!isWorking) void work()
    },
  }
}

/** Scopes that the host does not need are nobody's to ask for: a clerk that does has gone wrong, and gets what it would of a revision that is gone. */
export async function give(ledger: Ledger, want: Want, memo: TextCache<Piece>, pause: Pause): Promise<Given> {
  const { id, host, revision } = want
  const world = ledger.worlds.get(revision)
  const needed = world?.needs.get(host)
  if (world === undefined || want.pieces.some(({ scope }) => needed?.has(scope) !== true)) return { id, gone: true, latest: ledger.latest }
  const pieces: Piece[] = []
  let size = 0
  for (const wanted of want.pieces) {
    if (size > GIVEN_BUDGET) break
    await pause()
    const piece = await pieceOf(ledger, world, wanted, memo, pause)
    size += piece.text.length
    pieces.push(piece)
  }
  return { id, gone: false, pieces, ...(want.needs ? { needs: membersOf(needsOf(world, host)) } : {}) }
}

function createPause(): Pause {
  let began = performance.now()
  return async () => {
    if (performance.now() - began < SLICE_MS) return
    await yieldToLoop()
    began = performance.now()
  }
}

/** A host's own scope is asked for by that host, once: keeping it would only push others out. */
export function isShared(scope: string): boolean {
  return !scope.startsWith('host/')
}

/** The name of a piece in a cache. */
export function pieceKey({ scope, from = '', to }: Omit<WantedPiece, 'from'> & { readonly from?: string }): string {
  return `${scope}\0${from}\0${to}`
}

async function pieceOf(ledger: Ledger, world: LedgerWorld, wanted: WantedPiece, memo: TextCache<Piece>, pause: Pause): Promise<Piece> {
  const { scope } = wanted
  const state = scopeState(world, scope)
  const key = pieceKey({ ...wanted, to: state.version })
  const known = memo.get(key)
  if (known !== undefined) return known
  const piece: Piece = deltaPiece(ledger, wanted, state) ?? { as: 'content', text: await contentText(scope, state, pause) }
  if (isShared(scope)) memo.put(key, piece)
  return piece
}

function deltaPiece(ledger: Ledger, { scope, from }: WantedPiece, state: ScopeState): Piece | undefined {
  const before = from === undefined ? undefined : stateAtVersion(ledger, scope, from)
  const delta = before === undefined ? undefined : deltaBetween(scope, before, state, state.intents.size * DELTA_SHARE)
  return delta === undefined ? undefined : { as: 'delta', text: encodeText(delta) }
}

async function contentText(scope: string, state: ScopeState, pause: Pause): Promise<string> {
  let text = `{"scope":${JSON.stringify(scope)},"version":"${state.version}","intents":{`
  let count = 0
  for (const [key, intent] of state.intents) {
    text += `${count === 0 ? '' : ','}${JSON.stringify(key)}:${JSON.stringify(intent)}`
    if (++count % STRIDE === 0) await pause()
  }
  return `${text}}}`
}

function membersOf(value: object): string {
  return JSON.stringify(value).slice(1, -1)
}
