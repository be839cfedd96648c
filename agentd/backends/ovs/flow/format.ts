import { formatActions } from './format-actions.ts'
import { formatMatch } from './format-match.ts'
import type { Flow } from './types.ts'
import { hex } from './values.ts'

/**
 * The canonical text of a flow: what `ovs-ofctl -O OpenFlow14 --no-names dump-flows` prints, without counters and ages, and with
 * cookie and priority always there. Equal flows have equal text; ovs-ofctl reads it.
 */
export function formatFlow(flow: Flow): string {
  let out = `cookie=${hex(flow.cookie)}, table=${flow.table}, `
  if (flow.idle_timeout !== undefined) out += `idle_timeout=${flow.idle_timeout}, `
  if (flow.hard_timeout !== undefined) out += `hard_timeout=${flow.hard_timeout}, `
  for (const flag of flow.flags) out += `${flag} `
  if (flow.importance !== undefined) out += `importance=${flow.importance}, `
  return `${out}${priorityAndMatch(flow)} actions=${formatActions(flow.actions)}`
}

/** What makes a flow the same flow for OpenFlow (strict): table, priority, match. */
export function flowKey(flow: Pick<Flow, 'table' | 'priority' | 'match'>): string {
  return `table=${flow.table}, ${priorityAndMatch(flow)}`
}

function priorityAndMatch(flow: Pick<Flow, 'priority' | 'match'>): string {
  const match = formatMatch(flow.match)
  return match === '' ? `priority=${flow.priority}` : `priority=${flow.priority},${match}`
}
