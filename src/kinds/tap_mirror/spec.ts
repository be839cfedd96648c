import type { MirrorType } from '../../model/intent.ts'

/** A resolved tap mirror. */
export type TapMirrorSpec = {
  readonly port: string
  readonly mirror_type: MirrorType
  /** Canonical. */
  readonly remote_ip: string
  /** As written. */
  readonly directions: MirrorDirections
  readonly description: string
}

/** Numbers under which the collector knows what the port receives, sends, or both. */
export type MirrorDirections = { readonly [D in MirrorDirection]?: number }

export type MirrorDirection = 'IN' | 'OUT' | 'BOTH'
