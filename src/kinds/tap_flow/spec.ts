import type { TapDirection } from '../../model/intent.ts'

/** A resolved tap flow. */
export type TapFlowSpec = {
  readonly tap_service: string
  readonly source_port: string
  readonly direction: TapDirection
  readonly description: string
}
