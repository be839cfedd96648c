import { decodeRequest, refusalReply } from '../../wire/codec.ts'
import { MAX_REQUEST, OLDEST_WIRE_VERSION, type Refusal, type Request } from '../../wire/messages.ts'
import { type Door, isSignedBy, readSignature, type Signature } from '../../wire/signature.ts'
import { changedHosts, type Keyring } from './keyring.ts'
import type { RefusalReason } from './refusals.ts'

export type Admitted =
  | { readonly ok: true; readonly message: Request }
  | { readonly ok: false; readonly reply: Refusal; readonly refused?: GateRefusal }

/** `host` is empty unless the request is proved to be from it, or claims a host whose key we have. */
export interface GateRefusal {
  readonly reason: RefusalReason
  readonly host: string
  readonly detail: string
}

/** For frames in which there is not even a place for a request. */
export const NO_REQUEST: GateRefusal = { reason: 'malformed', host: '', detail: 'frames that no agent sends' }

/** Decides what comes in by one door. No I/O. Without keys every well-formed request does. */
export interface Gate {
  admit(body: readonly Uint8Array[]): Admitted
  setKeys(keyring: Keyring): void
}

/** An agent that was there before the server signed its first request that much earlier at most: it is answered with where to count from, and is no replay. */
const EARLY_US = 60_000_000
/** Longest text of a stranger's that is repeated in a log. */
const SHOWN = 80

/** `floor`: no count at or below it is taken. The start of this life of the server in microseconds since 1970, which is what agents count by: requests of an earlier life are below it. */
export function createGate(door: Door, secured: boolean, floor: number): Gate {
  let keyring: Keyring | undefined
  const counts = new Map<string, number>()

  /** The host that the signature proves; the count is used up. */
  function prove(signature: Signature, payload: Uint8Array, hosts: Keyring['hosts']): Admitted | undefined {
    const { host, count } = signature
    const key = hosts.get(host)
    if (key === undefined) return refuse('signature', noKeyMessage(host), { reason: 'no-key', host: '', detail: `for ${shown(host)}` })
    if (!isSignedBy(key.sign, door, signature, payload)) {
      return refuse('signature', `E0606: the signature is not the one of host ${host}`, { reason: 'signature', host, detail: `at ${door}` })
    }
    const seen = counts.get(host)
    const after = seen ?? floor
    if (count <= after) return replayed(host, count, after, seen !== undefined || count < floor - EARLY_US)
    counts.set(host, count)
    return undefined
  }

  function replayed(host: string, count: number, after: number, noteworthy: boolean): Admitted {
    const detail = `count ${count} after ${after} at ${door}`
    const { reply, refused } = refuse('replayed', 'a request with this or a higher count was here before', {
      reason: 'replayed',
      host,
      detail,
    })
    return { ok: false, reply: { ...reply, after }, ...(noteworthy && refused !== undefined ? { refused } : {}) }
  }

  function open(payload: Uint8Array, signer: string | undefined): Admitted {
    const decoded = decodeRequest(payload)
    if (!decoded.ok) {
      const refused: GateRefusal = {
        reason: 'malformed',
        host: signer ?? '',
        detail: `${decoded.refusal.message} at ${door}`.slice(0, 200),
      }
      return { ok: false, reply: refusalReply(decoded.refusal), refused }
    }
    const { message } = decoded
    if (signer === undefined || message.host === signer) return { ok: true, message }
    const refused: GateRefusal = { reason: 'not-yours', host: signer, detail: `asked as ${shown(message.host)}` }
    return { ok: false, reply: refusal(message.id, 'not-yours', `host ${signer} cannot speak for ${message.host}`), refused }
  }

  return {
    admit(body) {
      const payload = body.at(-1) ?? new Uint8Array()
      if (payload.byteLength > MAX_REQUEST) {
        const detail = `${payload.byteLength} bytes at ${door}`
        return refuse('malformed', `a request has at most ${MAX_REQUEST} bytes`, { reason: 'oversized', host: '', detail })
      }
      if (!secured && body.length === 1) return open(payload, undefined)
      if (secured && keyring === undefined) return { ok: false, reply: refusal('', 'not-ready', 'the server has not read its state yet') }
      const [frame] = body
      const signature = body.length < 2 || frame === undefined ? undefined : readSignature(frame)
      if (signature === undefined || keyring === undefined) {
        return refuse('signature', 'E0606: every request is to be signed', { reason: 'unsigned', host: '', detail: `at ${door}` })
      }
      return prove(signature, payload, keyring.hosts) ?? open(payload, signature.host)
    },
    setKeys(next) {
      // With another key nothing that was captured is of use, and a count that somebody drove up with the old one must not lock the host out.
      for (const host of keyring === undefined ? [] : changedHosts(keyring, next)) counts.delete(host)
      keyring = next
    },
  }
}

/** Strangers choose these texts: quoted, and short. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, SHOWN))
}

function noKeyMessage(host: string): string {
  return `E0605: host ${host} has no key here; \`netloom keys new ${host}\` makes one and prints the line for the repo`
}

/** What was not opened has no version: the oldest is understood by all that are served. */
function refusal(id: string, code: Refusal['code'], message: string): Refusal {
  return { v: OLDEST_WIRE_VERSION, id, type: 'refused', code, message }
}

function refuse(code: Refusal['code'], message: string, refused: GateRefusal): Admitted & { readonly ok: false } {
  return { ok: false, reply: refusal('', code, message), refused }
}
