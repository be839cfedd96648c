import type { Scope } from '../../model/scope.ts'
import { encode } from '../../wire/codec.ts'
import { MAX_MESSAGE } from '../../wire/messages.ts'
import type { ScopeState } from '../engine/types.ts'
import { deltaBetween } from './publication.ts'
import type { PullPiece, PullPlan } from './pull.ts'

/** Bytes of one answer; a single larger scope travels alone. */
const PULL_BUDGET = 4 * 1024 * 1024
/** Bytes of serialised scopes kept for the next host that asks for them. */
const CACHE_BUDGET = 32 * 1024 * 1024
/** Intents serialised between two looks at the clock. */
const STRIDE = 200

/** Awaited between pieces of work; returns at once unless the slice is used up. */
export type Pause = () => Promise<void>

/** Serialised scopes, by scope and version: hosts share them, so a thousand pulls of one scope serialise it once. */
export interface PieceCache {
  get(key: string): Buffer | undefined
  put(key: string, bytes: Buffer): void
}

/** Least recently used goes first. */
export function createPieceCache(budget: number = CACHE_BUDGET): PieceCache {
  const entries = new Map<string, Buffer>()
  let size = 0
  return {
    get(key) {
      const found = entries.get(key)
      if (found === undefined) return undefined
      entries.delete(key)
      entries.set(key, found)
      return found
    },
    put(key, bytes) {
      if (bytes.byteLength > budget / 4 || entries.has(key)) return
      entries.set(key, bytes)
      size += bytes.byteLength
      for (const [old, dropped] of entries) {
        if (size <= budget) return
        entries.delete(old)
        size -= dropped.byteLength
      }
    },
  }
}

/** The JSON of a `PullReply`; undefined when a single scope is larger than the wire takes. */
export async function serialisePull(plan: PullPlan, cache: PieceCache, pause: Pause): Promise<Buffer | undefined> {
  const contents: Buffer[] = []
  const deltas: Buffer[] = []
  const more: Scope[] = []
  let size = 0
  for (const piece of plan.pieces) {
    await pause()
    if (size > PULL_BUDGET) {
      more.push(piece.scope)
      continue
    }
    const bytes = await pieceBytes(piece, cache, pause)
    if (size > 0 && size + bytes.byteLength > PULL_BUDGET) {
      more.push(piece.scope)
      size = PULL_BUDGET + 1
      continue
    }
    size += bytes.byteLength
    ;(piece.as === 'content' ? contents : deltas).push(bytes)
  }
  const head = JSON.stringify(plan.head)
  const parts = [Buffer.from(`${head.slice(0, -1)},"contents":[`), ...joined(contents), Buffer.from('],"deltas":['), ...joined(deltas)]
  const reply = Buffer.concat([...parts, Buffer.from(`],"more":${JSON.stringify(more)}}`)])
  return reply.byteLength > MAX_MESSAGE ? undefined : reply
}

async function pieceBytes(piece: PullPiece, cache: PieceCache, pause: Pause): Promise<Buffer> {
  const from = piece.as === 'delta' ? piece.from : ''
  const key = `${piece.scope}\0${from}\0${piece.state.version}`
  const cached = cache.get(key)
  if (cached !== undefined) return cached
  const bytes = piece.as === 'content' ? await contentBytes(piece.scope, piece.state, pause) : deltaBytes(piece)
  cache.put(key, bytes)
  return bytes
}

function deltaBytes(piece: PullPiece & { readonly as: 'delta' }): Buffer {
  const delta = deltaBetween(piece.scope, piece.before, piece.state, Number.POSITIVE_INFINITY)
  if (delta === undefined) throw new Error(`no limit was given, and yet the delta of ${piece.scope} exceeds it`)
  return encode(delta)
}

async function contentBytes(scope: Scope, state: ScopeState, pause: Pause): Promise<Buffer> {
  const parts: Buffer[] = [Buffer.from(`{"scope":${JSON.stringify(scope)},"version":"${state.version}","intents":{`)]
  let text = ''
  let count = 0
  for (const [key, intent] of state.intents) {
    text += `${count === 0 ? '' : ','}${JSON.stringify(key)}:${JSON.stringify(intent)}`
    if (++count % STRIDE !== 0) continue
    parts.push(Buffer.from(text))
    text = ''
    await pause()
  }
  parts.push(Buffer.from(`${text}}}`))
  return Buffer.concat(parts)
}

function joined(parts: readonly Buffer[]): Buffer[] {
  const comma = Buffer.from(',')
  return parts.flatMap((part, i) => (i === 0 ? [part] : [comma, part]))
}
