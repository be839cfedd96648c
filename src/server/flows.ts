import { setImmediate as breathe } from 'node:timers/promises'
import { type AgentKnown, type HostImpact, hostImpact } from './impact/impact.ts'
import type { Proposal } from './proposal.ts'

/** Why the flows of a plan cannot be told. */
export class FlowsError extends Error {
  override readonly name: string = 'FlowsError'
}

/**
 * What a proposal does to the switches of hosts, one after the other: of those it concerns, or of the `wanted` ones. Compiling costs what a host holds, so the caller's thread is
 * given back between two of them. Throws `FlowsError` for a host that is in neither world.
 */
export async function* flowsOf(
  { base, ready }: Proposal,
  wanted: readonly string[] | undefined,
  agentOf: (host: string) => AgentKnown | undefined,
): AsyncGenerator<HostImpact> {
  if (ready === undefined) return
  const [before, after] = [base.world, ready.step.world]
  for (const host of wanted ?? [])
    if (!before.needs.has(host) && !after.needs.has(host)) throw new FlowsError(`there is no host ${host}, neither now nor after the plan`)
  for (const host of wanted ?? ready.plan.hosts) {
    yield hostImpact({ host, before, after, agent: agentOf(host) })
    await breathe()
  }
}

/** Items of one message: keeps each far below what the control socket takes at once. */
const PAGE = 2000

/** An impact in parts, each with a share of the items; `joinImpacts` puts them together again. */
export function impactParts(impact: HostImpact): readonly HostImpact[] {
  if (impact.items.length <= PAGE) return [impact]
  const parts: HostImpact[] = []
  for (let from = 0; from < impact.items.length; from += PAGE)
    parts.push({ ...impact, ...(from > 0 ? { waits: [], verdicts: [] } : {}), items: impact.items.slice(from, from + PAGE) })
  return parts
}

export function joinImpacts(parts: readonly HostImpact[]): readonly HostImpact[] {
  const byHost = new Map<string, HostImpact>()
  for (const part of parts) {
    const first = byHost.get(part.host)
    byHost.set(part.host, first === undefined ? part : { ...first, items: [...first.items, ...part.items] })
  }
  return [...byHost.values()]
}
