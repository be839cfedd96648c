import type { Key } from '../../src/model/key.ts'
import type { Compiled, Foreign, Verdict } from '../backends/backend.ts'

/** One cause is read by a person. */
const TOLD = 3

/**
 * What can be said of every resource, once it is seen what others do on the switch: the host is in ERROR while something of theirs keeps frames from ours, and so is
 * whoever owns what it spoils. A resource that is down or waits anyway says why by itself.
 */
export function withHarm(compiled: Compiled, host: Key, foreign: readonly Foreign[]): Compiled {
  const harms = foreign.flatMap(({ harm }) => (harm === undefined ? [] : [harm]))
  if (harms.length === 0) return compiled
  const verdicts = new Map<Key, Verdict>(compiled.verdicts)
  for (const { cause, spoils } of harms) {
    for (const owner of new Set(spoils.flatMap((key) => compiled.items.get(key)?.owners ?? []))) {
      if (owner !== host && !verdicts.has(owner)) verdicts.set(owner, { state: 'ERROR', cause })
    }
  }
  const own = compiled.verdicts.get(host)
  const told = harms.slice(0, TOLD).map((h) => h.cause)
  const rest = harms.length > TOLD ? [`${harms.length - TOLD} more such things: see netloom drift`] : []
  const causes = [...told, ...rest, ...(own === undefined ? [] : [own.cause])]
  return { ...compiled, verdicts: verdicts.set(host, { state: 'ERROR', cause: causes.join('; and ') }) }
}
