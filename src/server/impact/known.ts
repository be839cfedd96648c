import { type AllocationTable, COMPILERS, type Compiler, type Facts, type IntentSet } from '../../../agentd/backends/compilers.ts'
import type { Json, JsonObject } from '../../model/brand.ts'
import type { HostIntent } from '../../model/intent.ts'
import { hostScope, intentKey } from '../../model/scope.ts'

/** What a host's numbers come from: its switch as the agent last described it, and the numbers the agent has given. */
export interface Known {
  readonly facts: Facts
  readonly allocations: AllocationTable
}

/** What an agent reported. Undefined when it reported nothing yet, or in a form that is not ours: an agent of another release is predicted, not misread. */
export function reportedOf(facts: JsonObject, allocations: JsonObject): Known | undefined {
  const { datapath_type, capabilities, interfaces, bridges } = facts
  if (typeof datapath_type !== 'string' || !isList(capabilities) || !isList(bridges) || !isTable(interfaces)) return undefined
  if (!Object.values(interfaces).every((i) => isTable(i) && typeof i['bridge'] === 'string' && typeof i['type'] === 'string'))
    return undefined
  if (!Object.values(allocations).every((pool) => isTable(pool) && Object.values(pool).every((n) => typeof n === 'number')))
    return undefined
  return { facts: facts as unknown as Facts, allocations: allocations as AllocationTable }
}

/** A switch of which nothing is known: as it ought to be, with the bridges that the repository says it has. */
export function predictedFor(offer: HostIntent | undefined): Known {
  const bridges = [...new Set(Object.values(offer?.bridge_mappings ?? {}))].sort()
  return { facts: { datapath_type: 'system', version: '', capabilities: [], interfaces: {}, bridges }, allocations: {} }
}

export function compilerFor({ facts }: Known): Compiler {
  return facts.datapath_type === 'fake' ? COMPILERS.fake : COMPILERS.ovs
}

/** The host's own intent; undefined in a set that does not know the host. */
export function offerOf(host: string, intents: IntentSet): HostIntent | undefined {
  const intent = intents.get(hostScope(host))?.get(intentKey('host', host))
  return intent?.type === 'host' ? intent : undefined
}

function isList(value: Json | undefined): boolean {
  return Array.isArray(value)
}

function isTable(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
