import type { NetworkType } from '../../model/intent.ts'
import type { Site } from '../kind.ts'
import type { MaximumMtu } from './mtu.ts'

/**
 * One way to carry a network (Neutron's ML2 type driver, B3.6). Backends know carriages only; a third party's type is one of these with rules and
 * numbers of its own.
 */
export interface TypeDriver {
  /** What stands in `network_type`. */
  readonly type: string
  readonly summary: string
  readonly carriage: NetworkType
  /** `required`: always named. `with-number`: named when a number is. `none`: may not be named. */
  readonly physical_network: 'required' | 'with-number' | 'none'
  /** Numbers that may be written in `segmentation_id`, inclusive; absent: the type has none. */
  readonly numbers?: { readonly first: number; readonly last: number }
  /** False: never chosen for a network that names no type. */
  readonly automatic: boolean
  /** Where free numbers are looked for, in order. A candidate without ranges is taken as it is. */
  candidates(site: Site, physicalNetwork: string | undefined): readonly TypeCandidate[]
  maximumMtu(site: Site, physicalNetwork: string | undefined): MaximumMtu
}

export interface TypeCandidate {
  readonly physical_network?: string
  /** Inclusive. Absent: the type has no numbers. */
  readonly ranges?: readonly { readonly from: number; readonly to: number }[]
}

export type TypeDrivers = ReadonlyMap<string, TypeDriver>
