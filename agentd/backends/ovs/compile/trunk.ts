import type { TrunkIntent } from '../../../../src/model/intent.ts'
import type { Item } from '../../backend.ts'
import { makeMatch } from '../flow/make.ts'
import type { Action } from '../flow/types.ts'
import { flowItem, output, POP_TAG, pushTag } from './build.ts'
import { cookieOf } from './cookie.ts'

/** Tags that may stand under the first one (802.1Q, 802.1ad). */
export const INNER_TAGS: readonly number[] = [0x8100, 0x88a8]

/**
 * A guest that tags a frame twice is not heard: with the outer tag taken off, the inner one would be read by whoever comes next. Port security asks
 * for known ethertypes; this holds for subports without it as well.
 */
export function trunkItems(trunk: TrunkIntent, ofport: number | undefined): readonly Item[] {
  if (ofport === undefined || trunk.subports.length === 0) return []
  return INNER_TAGS.map((eth_type) =>
    flowItem({
      table: 'classify',
      priority: 110,
      cookie: cookieOf(trunk.trunk),
      owners: [trunk.trunk],
      match: makeMatch({ in_port: ofport, vlan_tci: '0x1000/0x1000', eth_type }),
      actions: [],
    }),
  )
}

/** Out to a guest as one of its VLANs. The tag comes off again, because copies for others follow. */
export function outTagged(vlan: number, port: number): readonly Action[] {
  return [...pushTag(vlan), output(port), POP_TAG]
}
