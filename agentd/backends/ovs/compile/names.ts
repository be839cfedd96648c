import { hash48 } from '../../../../src/lib/digest.ts'
import type { TunnelType } from '../../../../src/model/intent.ts'

/** The integration bridge: the only one that is ours. */
export const BRIDGE = 'br-int'

/** Linux takes names of at most 15 bytes. */
const LONGEST = 15

/** Types of tunnel ports: those of networks, and one more for copies. */
export type CarrierType = TunnelType | 'erspan'

/** The one flow-based tunnel port of a type. */
export function tunnelPort(type: CarrierType): string {
  return `nl-${type}`
}

/** The ends of the patch between br-int (`int`) and a provider bridge (`ext`). A bridge name that does not fit is cut and told apart by a hash. */
export function patchPorts(bridge: string): { readonly int: string; readonly ext: string } {
  const int = 'nl-int-'
  const room = LONGEST - int.length
  const short = bridge.length <= room ? bridge : bridge.slice(0, room - HASH) + hash48(bridge).toString(36).padStart(HASH, '0').slice(-HASH)
  return { int: int + short, ext: `nl-ex-${short}` }
}
const HASH = 5

/** Names that we give to ports which lead to other hosts; a guest's interface may not have one. */
export function isReserved(name: string): boolean {
  return name === BRIDGE || /^nl-(?:vxlan|geneve|gre|erspan|int-.*|ex-.*)$/.test(name)
}
