import { EMPTY_VERSION, type Scope, type ScopeVersion } from '../../model/scope.ts'
import { type HelloReply, MAX_MESSAGE, type Pull, type PullReply, type Refusal, WIRE_VERSION } from '../../wire/messages.ts'
import { isShared, pieceKey } from './give.ts'
import { commitOf, type HostTarget, type Ledger } from './ledger.ts'
import { createTextCache } from './piece-cache.ts'
import type { Given, Piece, Want, WantedPiece } from './rpc-protocol.ts'
import { unknownHostMessage } from './security.ts'

/** Characters of one answer; a single larger scope travels alone. */
const PULL_BUDGET = 4 * 1024 * 1024
/** Characters of serialised scopes kept by each clerk for the next one who asks for them; and a quarter as many of needs. */
const CACHE_BUDGET = 32 * 1024 * 1024
/** Pieces asked for at once. */
const AHEAD = 256

/** What answers pulls: knows targets, keeps scopes as text, and fetches what it lacks. */
export interface Puller {
  /** The JSON of a `PullReply`, or why there is none. */
  pull(request: Pull): Promise<string | Refusal>
  setTargets(targets: Iterable<readonly [string, HostTarget]>): void
  /** Undefined: not heard of. */
  targetOf(host: string): HostTarget | undefined
  readonly hosts: number
}

/** Hosts share scopes, so a thousand pulls of one fetch it once: while it is on its way, others wait for the same one. */
export function createPuller(epoch: string, fetch: (want: Omit<Want, 'id'>) => Promise<Given>): Puller {
  const targets = new Map<string, HostTarget>()
  const pieces = createTextCache<Piece>(CACHE_BUDGET)
  const needs = createTextCache<{ readonly text: string }>(CACHE_BUDGET / 4)
  const onTheWay = new Map<string, Promise<ReadonlyMap<string, Piece>>>()

  async function needsAt(host: string, revision: number): Promise<string | Given> {
    const key = `${host}\0${revision}`
    const known = needs.get(key)
    if (known !== undefined) return known.text
    const given = await fetch({ host, revision, needs: true, pieces: [] })
    if (given.gone || given.needs === undefined) return given
    needs.put(key, { text: given.needs })
    return given.needs
  }

  /** The first of `wanted`, and with it as many of those behind it as fit into one answer. */
  async function obtain(
    at: { readonly host: string; readonly revision: number },
    wanted: readonly WantedPiece[],
  ): Promise<ReadonlyMap<string, Piece>> {
    const lacking = wanted.slice(0, AHEAD).filter((w) => pieces.get(pieceKey(w)) === undefined && !onTheWay.has(pieceKey(w)))
    const keys = lacking.map(pieceKey)
    const coming = fetch({ ...at, needs: false, pieces: lacking }).then((given) => {
      const got = new Map<string, Piece>()
      for (const [i, piece] of (given.gone ? [] : given.pieces).entries()) {
        got.set(keys[i] ?? '', piece)
        if (isShared(lacking[i]?.scope ?? '')) pieces.put(keys[i] ?? '', piece)
      }
      for (const key of keys) onTheWay.delete(key)
      return got
    })
    for (const key of keys) onTheWay.set(key, coming)
    return await coming
  }

  /** Undefined: the revision was forgotten meanwhile. */
  async function collect(
    at: { readonly host: string; readonly revision: number },
    wanted: readonly WantedPiece[],
  ): Promise<{ readonly pieces: readonly Piece[]; readonly more: readonly Scope[] } | undefined> {
    const out: Piece[] = []
    const own = new Map<string, Piece>()
    let size = 0
    for (const [i, next] of wanted.entries()) {
      const key = pieceKey(next)
      let piece = own.get(key) ?? pieces.get(key)
      while (piece === undefined) {
        const coming = onTheWay.get(key)
        const got: ReadonlyMap<string, Piece> = await (coming ?? obtain(at, wanted.slice(i)))
        if (coming === undefined && got.size === 0) return undefined
        for (const [k, p] of got) own.set(k, p)
        piece = own.get(key) ?? pieces.get(key)
      }
      own.delete(key)
      if (size > 0 && size + piece.text.length > PULL_BUDGET) return { pieces: out, more: wanted.slice(i).map((w) => w.scope) }
      size += piece.text.length
      out.push(piece)
    }
    return { pieces: out, more: [] }
  }

  return {
    async pull(request) {
      const { host } = request
      const target = targets.get(host)
      if (target === undefined) return refusal(request, 'unknown-host', unknownHostMessage(host))
      const revision = request.revision ?? target.revision
      const needed = await needsAt(host, revision)
      if (typeof needed !== 'string') return unknownRevision(request, revision, needed)
      const collected = await collect({ host, revision }, wantedPieces(request, needed))
      if (collected === undefined) return unknownRevision(request, revision)
      const { v, id } = request
      const move = request.revision === undefined ? { seq: target.seq, ...commitOf(target) } : { seq: 0 }
      const text = pullText({ v, id, type: 'pull', epoch, ...move, revision }, needed, collected)
      return Buffer.byteLength(text) > MAX_MESSAGE ? refusal(request, 'malformed', tooLargeMessage(host)) : text
    },
    setTargets(entries) {
      for (const [host, target] of entries) targets.set(host, target)
    },
    targetOf: (host) => targets.get(host),
    get hosts() {
      return targets.size
    },
  }
}

export function tooLargeMessage(host: string): string {
  return `a scope that host ${host} needs is larger than one message may be`
}

/** The reply to hello; `endpoints` and the like come from the hub. */
export function helloReply(
  ledger: Ledger,
  request: { readonly id: string; readonly host: string },
  server: Pick<HelloReply, 'installation' | 'epoch' | 'endpoints' | 'heartbeat_ms'>,
): HelloReply | Refusal {
  const target = ledger.targets.get(request.host)
  if (target === undefined) return refusal(request, 'unknown-host', unknownHostMessage(request.host))
  const { seq, revision, digest } = target
  return { v: WIRE_VERSION, id: request.id, type: 'hello', ...server, seq, revision, digest, ...commitOf(target) }
}

export function refusal(request: { readonly id: string }, code: Refusal['code'], message: string): Refusal {
  return { v: WIRE_VERSION, id: request.id, type: 'refused', code, message }
}

function unknownRevision(request: Pull, revision: number, given?: Given): Refusal {
  const newest = given?.gone === true ? `; the newest is ${given.latest}` : ''
  return refusal(request, 'unknown-revision', `revision ${revision} is not kept${newest}`)
}

/** What of the scopes asked for goes out: scopes that the host does not need (any more) are left out, as are those it has at the right version; `needs` tells it so. */
function wantedPieces(request: Pull, needs: string): readonly WantedPiece[] {
  if (request.scopes === undefined || request.scopes.length === 0) return []
  const versions = new Map(Object.entries(JSON.parse(`{${needs}}`) as Readonly<Record<Scope, ScopeVersion>>))
  const wanted: WantedPiece[] = []
  for (const { scope, have } of request.scopes) {
    const to = versions.get(scope)
    if (to === undefined || to === have) continue
    wanted.push({ scope, to, ...(have === undefined || have === EMPTY_VERSION ? {} : { from: have }) })
  }
  return wanted
}

function pullText(
  head: Omit<PullReply, 'needs' | 'contents' | 'deltas' | 'more'>,
  needs: string,
  { pieces, more }: { readonly pieces: readonly Piece[]; readonly more: readonly Scope[] },
): string {
  const of = (as: Piece['as']): string => pieces.flatMap((p) => (p.as === as ? [p.text] : [])).join(',')
  return `${JSON.stringify(head).slice(0, -1)},"needs":{${needs}},"contents":[${of('content')}],"deltas":[${of('delta')}],"more":${JSON.stringify(more)}}`
}
