/** What the rig's repository holds at first: three hosts, a tunnelled network, a VLAN network, eight guests that others plug. */
export const SITE = `installation: faults
network_vlan_ranges:
  - { physical_network: physnet1, from: 100, to: 199 }
guards: { delete_count: 1000, delete_ratio: 1, delete_settle_ms: 200 }
`

export const HOSTS = `hosts:
  h1: { tunnel_ip: 192.0.2.1, bridge_mappings: { physnet1: br-ex } }
  h2: { tunnel_ip: 192.0.2.2, bridge_mappings: { physnet1: br-ex } }
  h3: { tunnel_ip: 192.0.2.3, bridge_mappings: { physnet1: br-ex } }
`

export const BLUE = `networks:
  blue: { network_type: vxlan }
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/16 }
  blue-v6: { network: blue, cidr: 'fd00:10::/64' }
ports:
  web-1: { network: blue, host: h1, fixed_ips: [{ ip_address: 10.10.0.11 }, { ip_address: 'fd00:10::11' }] }
  web-2: { network: blue, host: h2, fixed_ips: [{ ip_address: 10.10.0.12 }, { ip_address: 'fd00:10::12' }] }
  web-3: { network: blue, host: h3, fixed_ips: [{ ip_address: 10.10.0.13 }, { ip_address: 'fd00:10::13' }] }
  db-1: { network: blue, host: h1, fixed_ips: [{ ip_address: 10.10.0.21 }, { ip_address: 'fd00:10::21' }] }
  db-2: { network: blue, host: h2, fixed_ips: [{ ip_address: 10.10.0.22 }, { ip_address: 'fd00:10::22' }] }
`

export const RED = `networks:
  red: { network_type: vlan, physical_network: physnet1, segmentation_id: 120 }
subnets:
  red-v4: { network: red, cidr: 10.20.0.0/24 }
ports:
  vault-1: { network: red, host: h1, fixed_ips: [{ ip_address: 10.20.0.11 }] }
  vault-2: { network: red, host: h2, fixed_ips: [{ ip_address: 10.20.0.12 }] }
  vault-3: { network: red, host: h3, fixed_ips: [{ ip_address: 10.20.0.13 }] }
`

/** All files of the repository at first, by name. */
export const FIRST: Readonly<Record<string, string>> = { 'netloom.yaml': SITE, 'hosts.yaml': HOSTS, 'blue.yaml': BLUE, 'red.yaml': RED }

/** A file with ports on `host` whose interfaces the agent makes: on the host itself, and two ways into a namespace. */
export function made(host: string, address = '10.10.0.77', mac = 'fa:16:3e:aa:bb:77'): string {
  return `ports:
  made: { network: blue, host: ${host}, fixed_ips: [{ ip_address: ${address} }], mac_address: '${mac}', plug: { type: internal, interface: nl-made } }
  made-v: { network: blue, host: ${host}, fixed_ips: [{ subnet: blue-v4 }], plug: { type: veth, interface: nl-made-v, netns: inside-v } }
  made-i: { network: blue, host: ${host}, fixed_ips: [{ subnet: blue-v4 }], plug: { type: internal, interface: nl-made-i, netns: inside-i } }
`
}

/** A file with `count` ports on `blue` that the agent of `host` makes; without addresses, which would all be the host's own. */
export function crowd(host: string, count: number): string {
  const ports = Array.from(
    { length: count },
    (_, n) => `  crowd-${n}: { network: blue, host: ${host}, fixed_ips: [{ subnet: blue-v4 }], plug: { type: internal } }`,
  )
  return `ports:\n${ports.join('\n')}\n`
}
