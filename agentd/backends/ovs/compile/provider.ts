import { listed } from '../../../../src/lib/text.ts'
import type { ProviderFact } from '../../backend.ts'
import { patchPorts } from './names.ts'

/** Why frames do not get through a bridge of others. It is told, and left to them. */
export interface ProviderFault {
  /** WAITING: the bridge may be meant to be as it is. */
  readonly state: 'ERROR' | 'WAITING'
  /** Goes on after the bridge's name. */
  readonly what: string
  /** What to type. */
  readonly todo: string
}

/** `external_ids` of a bridge that is meant to have no uplink: `netloom-uplink=none`. */
export const UPLINK_ID = 'netloom-uplink'

/** The first that applies: its flows pass nothing, its uplinks pass nothing, it has no uplink. Undefined: nothing is known against it. */
export function providerFault(bridge: string, fact: ProviderFact | undefined): ProviderFault | undefined {
  if (fact === undefined) return undefined
  return droppingFlows(bridge, fact) ?? deadUplinks(bridge, fact)
}

function droppingFlows(bridge: string, { drops, uplinks }: ProviderFact): ProviderFault | undefined {
  const look = `ovs-ofctl dump-flows ${bridge} table=0`
  switch (drops) {
    case 'all':
      return {
        state: 'ERROR',
        what: 'forwards nothing: no flow of it passes any frame on',
        todo: `unless it has a controller that writes them, ovs-ofctl add-flow ${bridge} priority=0,actions=NORMAL`,
      }
    case 'ours':
      return { state: 'ERROR', what: `drops every frame that comes from ${patchPorts(bridge).ext}, by its flows`, todo: look }
    case 'theirs':
      return { state: 'ERROR', what: `drops every frame that comes in by ${listed(uplinks.map((u) => u.name))}, by its flows`, todo: look }
    default:
      return undefined
  }
}

function deadUplinks(bridge: string, { uplinks, alone }: ProviderFact): ProviderFault | undefined {
  const [first] = uplinks
  if (first === undefined) {
    if (alone === true) return undefined
    const todo = `ovs-vsctl add-port ${bridge} <NIC>, or, where that is meant so, ovs-vsctl br-set-external-id ${bridge} ${UPLINK_ID} none`
    return { state: 'WAITING', what: 'has no uplink: its frames reach no other host', todo }
  }
  const { name, fault } = first
  if (fault === undefined || uplinks.some((u) => u.fault === undefined)) return undefined
  const which = uplinks.length === 1 ? 'its uplink' : `none of its uplinks works (${listed(uplinks.map((u) => u.name))}):`
  return { state: 'ERROR', what: `is cut off: ${which} ${name} ${fault.what}`, todo: fault.todo }
}
