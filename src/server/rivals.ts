import type { Origin } from '../wire/messages.ts'
import type { ServerLog } from './server-log.ts'
import type { Store } from './store/types.ts'

/** One life of an agent, as it speaks. */
export interface Speaker {
  readonly host: string
  readonly epoch: string
  /** Where it runs; told with `hello` only, and by no agent of an older version. */
  readonly origin?: Origin
}

/** Who is listened to for a host, and who else speaks for it. Milliseconds on one monotonic clock. */
export interface Claim {
  readonly holder: Life
  /** Epoch → those that are not listened to: former holders, and those that never were. */
  readonly others: ReadonlyMap<string, Life>
}

export interface Life {
  readonly epoch: string
  readonly origin?: Origin
  readonly heardAt: number
  /** When another took its place; absent: it was never listened to. */
  readonly endedAt?: number
  /** It spoke when it ought not to. */
  readonly rival: boolean
}

export type Verdict = 'listened-to' | 'late' | 'rival'

/** Lives remembered for each host besides the holder. */
const OTHERS = 8
/** An agent that is refused asks again within this time. */
export const RIVAL_MS = 30_000

/**
 * Judges one word of an agent. A life that follows another from the same place is a restart and is listened to at once: its state directory was locked by the one before. One
 * from another place has to wait until the holder has been silent for `patienceMs`. A former holder may have had a last word on its way; one that still speaks after
 * `patienceMs` is alive. Only a hello makes a holder, except where there is none.
 */
export function judge(
  claim: Claim | undefined,
  speaker: Speaker & { readonly hello: boolean },
  { now, patienceMs }: { readonly now: number; readonly patienceMs: number },
): { readonly claim: Claim; readonly verdict: Verdict } {
  const { epoch } = speaker
  const known = claim?.holder.epoch === epoch ? claim.holder : claim?.others.get(epoch)
  const origin = speaker.origin ?? known?.origin
  const life: Life = { epoch, heardAt: now, rival: false, ...(origin === undefined ? {} : { origin }) }
  if (claim === undefined) return { claim: { holder: life, others: new Map() }, verdict: 'listened-to' }
  const { holder } = claim
  if (holder.epoch === epoch) return { claim: { ...claim, holder: life }, verdict: 'listened-to' }
  const silent = now - holder.heardAt > patienceMs
  if (speaker.hello && (silent || (known === undefined && isRestart(holder, life)))) {
    const others = new Map([...claim.others, [holder.epoch, { ...holder, endedAt: now }] as const])
    others.delete(epoch)
    return { claim: { holder: life, others: newest(others) }, verdict: 'listened-to' }
  }
  const ended = known?.endedAt
  const rival = ended === undefined ? speaker.hello || known !== undefined : now - ended > patienceMs
  if (!rival) return { claim, verdict: 'late' }
  const others = new Map(claim.others)
  others.delete(epoch)
  others.set(epoch, { ...life, rival, ...(ended === undefined ? {} : { endedAt: ended }) })
  return { claim: { ...claim, others: newest(others) }, verdict: 'rival' }
}

function isRestart(before: Life, after: Life): boolean {
  return before.origin === undefined || after.origin === undefined || before.origin.place === after.origin.place
}

function newest(others: ReadonlyMap<string, Life>): ReadonlyMap<string, Life> {
  return new Map([...others].slice(-OTHERS))
}

/** Those that speak beside the holder now. */
export function rivalsOf(claim: Claim, now: number): readonly Life[] {
  return [...claim.others.values()].filter((life) => life.rival && now - life.heardAt <= RIVAL_MS)
}

/** Sees to it that one agent is listened to for each host, and says aloud when another one speaks for it. */
export interface Rivals {
  /** Returns what speaks against listening to this agent, if anything. */
  hear(speaker: Speaker & { readonly hello: boolean }): string | undefined
  /** Host → who claims it; hosts with one agent are not listed. */
  contested(): ReadonlyMap<string, string>
}

export interface RivalsOptions {
  readonly patienceMs: number
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly store: Pick<Store, 'event'>
  readonly log: ServerLog
}

export function createRivals({ patienceMs, now, store, log }: RivalsOptions): Rivals {
  const claims = new Map<string, Claim>()
  const told = new Map<string, string>()

  function tell(host: string, claim: Claim): void {
    const rivals = rivalsOf(claim, now())
    const why = rivals.length === 0 ? undefined : contestedText(claim.holder, rivals)
    if (why === told.get(host)) return
    if (why === undefined) {
      told.delete(host)
      log('info', 'one agent speaks for the host again', { host, agent: nameOf(claim.holder) })
      return
    }
    told.set(host, why)
    log('warn', 'a host is claimed by two agents', { host, why })
    store
      .event('claimed-twice', { why }, { host })
      .catch((error: unknown) => log('error', 'an event could not be saved', { error: String(error) }))
  }

  return {
    hear(speaker) {
      const { host } = speaker
      const { claim, verdict } = judge(claims.get(host), speaker, { now: now(), patienceMs })
      claims.set(host, claim)
      tell(host, claim)
      return verdict === 'listened-to' ? undefined : refusalText(host, claim.holder)
    },
    contested() {
      const found = new Map<string, string>()
      for (const [host, claim] of claims) {
        const rivals = rivalsOf(claim, now())
        if (rivals.length > 0) found.set(host, contestedText(claim.holder, rivals))
      }
      return found
    },
  }
}

function nameOf({ epoch, origin }: Life): string {
  return origin?.name ?? `agent ${epoch.slice(0, 8)}`
}

function contestedText(holder: Life, rivals: readonly Life[]): string {
  const names = rivals.map(nameOf).sort()
  return `E0607: claimed by ${rivals.length + 1} agents: ${nameOf(holder)} is listened to, ${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} not; stop ${names.length === 1 ? 'one' : 'all but one'}, or start it with the --host name of its own machine`
}

/** E0607, as the agent that is not listened to shows it. */
function refusalText(host: string, holder: Life): string {
  return `E0607: another agent speaks for host ${host} and is heard: ${nameOf(holder)}; stop that one, or start this one with the --host name of its own machine`
}
