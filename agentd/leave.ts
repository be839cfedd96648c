import { type Key, makeKey } from '../src/model/key.ts'
import type { ObjectStatus } from '../src/model/status.ts'
import type { ConvergeResult } from './converge/converger.ts'
import type { TargetSet } from './northbound/feed-core.ts'
import type { SavedSet, SavedState } from './northbound/statefile.ts'
import { hostIntent } from './target.ts'

/*
 * A host that left the repository: the server tells it to hold nothing. What this agent made is removed then, whatever the drift mode (it is a target, not
 * drift); a set that is empty on disk, and a server that was not heard, tell nobody to remove anything.
 */

/** The server itself says, of a revision, that this host is to hold nothing. */
export function isLeave(target: TargetSet): boolean {
  return target.source === 'server' && target.scopes.size === 0 && target.revision > 0
}

/** Whose things are on this switch, from the last set on disk that knew the host. Undefined: this agent never made anything, or has lost its memory of it. */
export function savedInstallation(host: string, saved: Pick<SavedState, 'current' | 'previous'>): string | undefined {
  const own = [saved.current, saved.previous].map((set) => (set === undefined ? undefined : hostIntent(host, set.scopes)))
  return own.find((intent) => intent !== undefined)?.installation
}

/** What the switch held when this agent last ran: while it leaves, the set before the empty one. */
export function expectedSet(saved: Pick<SavedState, 'current' | 'previous'>, leaving: boolean): SavedSet | undefined {
  return leaving && saved.current?.scopes.size === 0 ? saved.previous : saved.current
}

/** What is said while things of ours are still there: nothing once they are gone. `since`: ISO 8601, when the host was told to leave. */
export function leavingStatuses(
  host: string,
  result: Pick<ConvergeResult, 'converged' | 'failed'>,
  since: string,
): ReadonlyMap<Key, ObjectStatus> {
  if (result.converged) return new Map()
  const key = makeKey('host', '', host)
  const [first, ...others] = result.failed
  if (first === undefined) return new Map([[key, { key, state: 'BUILD', attempts: 0, since }]])
  const more = others.length === 0 ? '' : `, and ${others.length} more`
  return new Map([[key, { key, state: 'ERROR', cause: `cannot be removed: ${first[0]} (${first[1]})${more}`, attempts: 1, since }]])
}

/** The status of a host whose agent cannot tell its own things from those of others. */
export function forgottenStatuses(host: string, stateDir: string, since: string): ReadonlyMap<Key, ObjectStatus> {
  const key = makeKey('host', '', host)
  const cause = `${stateDir} has no memory of what was made here; look for external_ids:netloom-owner with ovs-vsctl, and remove it by hand`
  return new Map([[key, { key, state: 'ERROR', cause, attempts: 0, since }]])
}
