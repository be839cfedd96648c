/** A resolved address scope. */
export type AddressScopeSpec = {
  readonly ip_version: 4 | 6
  readonly shared: boolean
  readonly description: string
}
