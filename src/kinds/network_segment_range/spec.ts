import type { Reference } from '../kind.ts'

/** A resolved range. */
export type NetworkSegmentRangeSpec = {
  readonly network_type: string
  /** Types with physical networks only. */
  readonly physical_network?: string
  /** Inclusive. */
  readonly minimum: number
  readonly maximum: number
  readonly shared: boolean
  /** Present exactly when the range is not shared. */
  readonly project?: string
  readonly description: string
}

/** What all ranges mention, so that networks find them: no resource. */
export const ALL_RANGES: Pick<Reference, 'kind' | 'name'> = { kind: 'segment_ranges', name: 'all' }
