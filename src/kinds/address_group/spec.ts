/** A resolved address group. */
export type AddressGroupSpec = {
  /** Canonical CIDR, sorted, each once. */
  readonly addresses: readonly string[]
  readonly description: string
}
