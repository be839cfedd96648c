import type { Key } from './key.ts'

/**
 * What an agent proves about one object on its host.
 * ACTIVE: read back from the switch. BUILD: being written. WAITING: nothing wrong, something outside is missing (a VM has not plugged its
 * interface). DOWN: admin_state_up is false. ERROR: `cause` says why and what to type.
 */
export type ObjectState = 'ACTIVE' | 'BUILD' | 'WAITING' | 'DOWN' | 'ERROR'

export interface ObjectStatus {
  readonly key: Key
  readonly state: ObjectState
  readonly cause?: string
  /** Failed attempts in a row; 0 when fine. */
  readonly attempts: number
  /** ISO 8601, when this state began. */
  readonly since: string
}

/** Whether the switch itself answers the agent: `silent` after several questions without an answer. `since`: ISO 8601, by the host's clock. */
export interface Dataplane {
  readonly state: 'answers' | 'silent'
  readonly since: string
}

export type DriftKind = 'missing' | 'altered' | 'foreign' | 'stale'

/** One difference between what we own and what the switch holds. `foreign` is listed and left alone. */
export interface DriftItem {
  readonly kind: DriftKind
  /** Where: `br-int table classify`, `Port nl-…`. */
  readonly where: string
  /** Resources whose intents asked for it; empty for foreign things. */
  readonly owners: readonly Key[]
  /** Per field: what should be, what is. Whole items use the field `''`. */
  readonly fields: readonly { readonly field: string; readonly want?: string; readonly have?: string }[]
  /** ISO 8601, when first seen. */
  readonly since: string
  /** What was or will be done. */
  readonly action: 'report' | 'repair' | 'repaired' | 'left alone'
}
