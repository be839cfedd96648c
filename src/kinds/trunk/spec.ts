/** A resolved trunk. */
export type TrunkSpec = {
  readonly port: string
  /** Sorted by VLAN id. */
  readonly subports: readonly Subport[]
  readonly admin_state_up: boolean
  readonly description: string
}

export type Subport = {
  readonly port: string
  readonly segmentation_type: 'vlan' | 'inherit'
  /** VLAN id that the guest uses, inherited ones too. */
  readonly segmentation_id: number
}
