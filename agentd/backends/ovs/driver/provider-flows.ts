import type { ProviderFact } from '../../backend.ts'
import type { Flow } from '../flow/types.ts'
import { PORT } from '../flow/types.ts'

/** What is known of a bridge's first table. */
export interface FirstTable {
  readonly flows: readonly Flow[]
  /** What is matched by no flow goes nowhere: there is no controller that could have it, and no mode that stands in for one. */
  readonly missIsDrop: boolean
}

/** Only what holds for every frame, whatever flows an operator's own controller writes there. `ours`: the port towards us. */
export function dropsOf(table: FirstTable, ours: number, uplinks: readonly number[]): ProviderFact['drops'] {
  const here = dropsEverything(table, ours)
  const there = (uplinks.length === 0 ? [PORT.LOCAL] : uplinks).every((port) => dropsEverything(table, port))
  if (here && there) return 'all'
  if (here) return 'ours'
  return there && uplinks.length > 0 ? 'theirs' : undefined
}

/** True when every flow that a frame from that port can meet drops it. */
function dropsEverything({ flows, missIsDrop }: FirstTable, port: number): boolean {
  const met = flows.filter(({ match }) => match.in_port === undefined || Number(match.in_port.value) === port)
  const floor = Math.max(-1, ...met.filter(({ match }) => Object.keys(match).every((f) => f === 'in_port')).map((f) => f.priority))
  return (floor >= 0 || missIsDrop) && met.every((flow) => flow.priority < floor || flow.actions.length === 0)
}
