import type { Compiled, CompileInput } from '../../backend.ts'
import type { Connections } from './connections.ts'
import { bridgeItem } from './devices.ts'
import { BRIDGE } from './names.ts'

/**
 * A host that is to hold nothing of ours. The bridge stays while others have ports on it, which would go with it: `secure` and without a flow, it passes
 * nothing. Numbers stay as they are, for the day the host comes back.
 */
export function compileNothing(input: CompileInput): Compiled {
  const guests = Object.entries(input.facts.interfaces).filter(([name, at]) => at.bridge === BRIDGE && name !== BRIDGE && !at.ours)
  const items = guests.length === 0 ? [] : [bridgeItem(input)]
  const zones = ['zone', 'zone/freed'].flatMap((pool) => Object.values(input.allocations[pool] ?? {}))
  const connections: Connections = { judges: [], freed: zones }
  return {
    items: new Map(items.map((item) => [item.key, item])),
    allocations: input.allocations,
    verdicts: new Map(),
    subjects: [],
    connections,
  }
}
