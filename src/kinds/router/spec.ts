import type { FixedIp } from '../port/spec.ts'

/** A resolved router. Addresses and prefixes are canonical text. */
export type RouterSpec = {
  /** Sorted; each with one of the two. */
  readonly interfaces: readonly { readonly subnet?: string; readonly port?: string }[]
  /** What follows from them, sorted: one for each network that is joined by subnets, one for each port. */
  readonly legs: readonly RouterLeg[]
  /** Sorted by destination. */
  readonly routes: readonly RouterRoute[]
  readonly admin_state_up: boolean
  readonly description: string
}

export type RouterLeg = {
  /** Name or project/name. */
  readonly network: string
  /** Absent: it is on the gateway_ip of each subnet, under a MAC of its own. */
  readonly port?: string
  readonly mac_address: string
  readonly fixed_ips: readonly FixedIp[]
}

export type RouterRoute = { readonly destination: string; readonly nexthop: string }
