import { type Written, writtenOf } from './written.ts'

const SUBNETS = `
subnets:
  v4-0: { network: n0, cidr: 10.0.0.0/24 }
  v6-0: { network: n0, cidr: 'fd00::/64' }
  v4-1: { network: n1, cidr: 10.0.0.0/24 }
  v6-1: { network: n1, cidr: 'fd00::/64' }
`

function portText(name: string, n: number, more: string): string {
  const addresses = `fixed_ips: [{ ip_address: 10.0.0.1${n} }, { ip_address: 'fd00::1${n}' }]`
  return `  ${name}: { mac_address: '02:00:00:00:00:1${n}', ${addresses}, ${more} }\n`
}

/** Groups of every sort over a tunnel: remote groups, prefixes, an address group, ranges, ICMP, pairs; a port without port security, one that names no group; a member of another network with the addresses of one who is none. */
const OVERLAY = `
networks:
  n0: { network_type: vxlan, segmentation_id: 100 }
  n1: { network_type: vxlan, segmentation_id: 101 }
${SUBNETS}
address_groups:
  offices: { addresses: [10.0.0.15, 10.0.0.128/29, 'fd00::15'] }
security_groups:
  default: {}
  s1:
    rules:
      - { direction: ingress, protocol: tcp, port_range_min: 80, port_range_max: 443, remote_group: s2 }
      - { direction: ingress, ethertype: IPv6, protocol: tcp, port_range_min: 80, port_range_max: 443, remote_group: s2 }
      - { direction: ingress, protocol: udp, port_range_min: 1000, port_range_max: 1999 }
      - { direction: ingress, protocol: icmp, port_range_min: 8, port_range_max: 0 }
      - { direction: ingress, ethertype: IPv6, protocol: icmp, port_range_min: 128 }
      - { direction: ingress, protocol: tcp, port_range_min: 7001, port_range_max: 7001, remote_address_group: offices }
      - { direction: ingress, ethertype: IPv6, protocol: udp, remote_ip_prefix: 'fd00::14/127' }
      - { direction: ingress, protocol: 47, remote_ip_prefix: 10.0.0.15 }
  s2:
    default_rules: false
    rules:
      - { direction: egress, remote_ip_prefix: 10.0.0.12/31 }
      - { direction: egress, ethertype: IPv6, protocol: tcp, remote_group: s1 }
      - { direction: egress, protocol: tcp, port_range_min: 1, port_range_max: 1023, remote_group: s1 }
      - { direction: ingress, protocol: tcp, remote_group: s2 }
ports:
${portText('a', 0, 'network: n0, host: h1, security_groups: [s1]')}
${portText('b', 1, "network: n0, host: h2, security_groups: [s2], allowed_address_pairs: [{ ip_address: 10.0.0.130/31 }, { ip_address: 'fd00::84/126' }, { ip_address: 10.0.0.140, mac_address: '02:00:00:00:00:ee' }]")}
${portText('c', 2, 'network: n0, host: h1, security_groups: [s1, s2]')}
${portText('d', 3, 'network: n0, host: h2, port_security_enabled: false')}
${portText('e', 4, 'network: n0, host: h1')}
${portText('f', 5, 'network: n0, host: h2')}
${portText('g', 5, 'network: n1, host: h1, security_groups: [s2]').replace(':15', ':1f')}
`

/** Stateless groups over VLANs, a port and a network that are down, a port with no group at all. */
const PROVIDER = `
networks:
  n0: { network_type: vlan, physical_network: physnet1, segmentation_id: 100 }
  n1: { network_type: vlan, physical_network: physnet1, segmentation_id: 101, admin_state_up: false }
${SUBNETS}
security_groups:
  default: {}
  t1:
    stateful: false
    default_rules: false
    rules:
      - { direction: egress, protocol: tcp }
      - { direction: egress, ethertype: IPv6, protocol: tcp }
      - { direction: ingress, protocol: tcp, port_range_min: 7001, port_range_max: 7001 }
      - { direction: ingress, protocol: tcp, port_range_min: 32768, port_range_max: 65535 }
      - { direction: ingress, ethertype: IPv6, protocol: tcp, port_range_min: 1024, port_range_max: 65535, remote_group: t1 }
  any: { rules: [{ direction: ingress }, { direction: ingress, ethertype: IPv6 }] }
ports:
${portText('a', 0, 'network: n0, host: h1, security_groups: [t1]')}
${portText('b', 1, 'network: n0, host: h2, security_groups: [t1]')}
${portText('c', 2, 'network: n0, host: h1, security_groups: [any]')}
${portText('d', 3, 'network: n0, host: h2, security_groups: [any], admin_state_up: false')}
${portText('e', 4, 'network: n0, host: h2, security_groups: []')}
${portText('f', 5, 'network: n0, host: h1, port_security_enabled: false')}
${portText('g', 6, 'network: n1, host: h1, security_groups: [any]')}
${portText('h', 7, 'network: n1, host: h2, security_groups: [any]')}
`

/** Worlds by name that hold everything which a planted fault may break. */
export const FIXED: Readonly<Record<string, Written>> = { overlay: writtenOf(OVERLAY), provider: writtenOf(PROVIDER) }
