/** Why something that arrived was not taken. */
export type RefusalReason =
  /** A CURVE key that is no host's; one that was a host's and is no more. */
  | 'unknown-key'
  | 'revoked-key'
  /** No CURVE, another server's key, or a connection that broke before it was one. */
  | 'handshake'
  /** No signature where there must be one; one that its host did not make; one that was used before. */
  | 'unsigned'
  | 'signature'
  | 'replayed'
  | 'no-key'
  | 'not-yours'
  | 'oversized'
  | 'malformed'

export interface Refused {
  readonly reason: RefusalReason
  /** Empty when nothing proves or says which host it was. */
  readonly host: string
  readonly count: number
  /** Of the last one, in words. */
  readonly detail: string
  /** ISO 8601, of the last one. */
  readonly last: string
}

/** Counts refusals by reason and host. No I/O; the clock comes with each. */
export interface Refusals {
  /** True when it is the first of its reason and host, which is when it is to be logged. */
  note(refused: Refused): boolean
  /** The host's key changed: the next refusal of this host is news again. */
  forget(host: string): void
  list(): readonly Refused[]
  /** Everything noted since the last time, which is then forgotten. */
  drain(): readonly Refused[]
}

export function createRefusals(): Refusals {
  const noted = new Map<string, Refused>()
  const told = new Set<string>()
  const keyOf = ({ reason, host }: Pick<Refused, 'reason' | 'host'>): string => `${reason} ${host}`
  const list = (): readonly Refused[] => [...noted.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  return {
    note(refused) {
      const key = keyOf(refused)
      noted.set(key, { ...refused, count: refused.count + (noted.get(key)?.count ?? 0) })
      if (told.has(key)) return false
      told.add(key)
      return true
    },
    forget(host) {
      for (const key of told) if (key.endsWith(` ${host}`)) told.delete(key)
    },
    list,
    drain() {
      const all = list()
      noted.clear()
      return all
    },
  }
}
