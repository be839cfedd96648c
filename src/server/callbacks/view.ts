import { displayKey } from '../../model/key.ts'
import type { CallsView, CallView } from '../render/callbacks.ts'
import type { StoredCall, WaitingCalls } from '../store/types.ts'
import type { MemoryCall } from './memory.ts'

/** Both kinds of waiting calls as `status` shows them: those that failed first. */
export function viewOf(stored: WaitingCalls, remembered: readonly MemoryCall[], limit: number): CallsView {
  const calls = [...stored.calls.map(shown), ...remembered.map(shown)]
  const failed = calls.filter((c) => c.error !== undefined)
  const others = calls.filter((c) => c.error === undefined)
  return {
    total: stored.total + remembered.length,
    failing: stored.failing + remembered.filter((c) => c.error !== undefined).length,
    calls: [...failed, ...others].slice(0, limit),
  }
}

function shown(call: StoredCall | MemoryCall): CallView {
  const { plugin, subscription, revision, attempts, error } = call
  return {
    plugin,
    subscription,
    about: 'about' in call ? call.about : `after ${call.verb} ${displayKey(call.key)}`,
    revision,
    attempts,
    ...(error === undefined ? {} : { error }),
    since: new Date(call.since).toISOString(),
    next_at: new Date(call.nextAt).toISOString(),
  }
}
