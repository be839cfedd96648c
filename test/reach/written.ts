import { parse, stringify } from 'yaml'

/** A repository's documents as an operator writes them, as far as these tests go: Neutron's own words. */
export interface Written {
  readonly hosts: Readonly<Record<string, WrittenHost>>
  readonly networks: Readonly<Record<string, WrittenNetwork>>
  readonly subnets: Readonly<Record<string, { readonly network: string; readonly cidr: string }>>
  readonly security_groups: Readonly<Record<string, WrittenGroup>>
  readonly address_groups: Readonly<Record<string, { readonly addresses: readonly string[] }>>
  readonly ports: Readonly<Record<string, WrittenPort>>
}

export interface WrittenHost {
  readonly tunnel_ip: string
  readonly bridge_mappings: Readonly<Record<string, string>>
}

export interface WrittenNetwork {
  readonly network_type: 'vxlan' | 'vlan' | 'local'
  readonly physical_network?: string
  readonly segmentation_id?: number
  readonly admin_state_up?: boolean
}

export interface WrittenGroup {
  readonly stateful?: boolean
  readonly default_rules?: boolean
  readonly rules?: readonly WrittenRule[]
}

export interface WrittenRule {
  readonly direction: 'ingress' | 'egress'
  readonly ethertype?: 'IPv4' | 'IPv6'
  readonly protocol?: string | number
  readonly port_range_min?: number
  readonly port_range_max?: number
  readonly remote_ip_prefix?: string
  readonly remote_group?: string
  readonly remote_address_group?: string
}

export interface WrittenPort {
  readonly network: string
  readonly host?: string
  readonly mac_address: string
  readonly fixed_ips: readonly { readonly ip_address: string }[]
  readonly admin_state_up?: boolean
  readonly port_security_enabled?: boolean
  readonly security_groups?: readonly string[]
  readonly allowed_address_pairs?: readonly { readonly ip_address: string; readonly mac_address?: string }[]
}

/** Where the switches of these tests have their tunnels and their provider bridge (`startHost`). */
export const HOSTS: Readonly<Record<string, WrittenHost>> = {
  h1: { tunnel_ip: '192.0.2.1', bridge_mappings: { physnet1: 'br-ex' } },
  h2: { tunnel_ip: '192.0.2.2', bridge_mappings: { physnet1: 'br-ex' } },
}

export function yamlOf(written: Written): string {
  return stringify(written, { lineWidth: 0, aliasDuplicateObjects: false })
}

/** From YAML text; hosts and collections that are left out are as everywhere here, or empty. */
export function writtenOf(yaml: string): Written {
  return {
    hosts: HOSTS,
    subnets: {},
    security_groups: {},
    address_groups: {},
    ...(parse(yaml) as Partial<Written> & Pick<Written, 'networks' | 'ports'>),
  }
}
