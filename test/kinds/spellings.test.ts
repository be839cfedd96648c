import test from 'ava'
import type { DeclaredOps, World } from '../../src/server/engine/types.ts'
import { computePlan, isEmptyPlan, type PlanInput } from '../../src/server/plan/plan.ts'
import { kinds } from '../support/kinds.ts'
import { build, engine, write } from '../support/world.ts'

/** One normal form, and how else it may be written. What others need is in `beside`. */
interface Row {
  readonly kind: string
  readonly what: string
  readonly beside?: string
  readonly normal: string
  readonly others: readonly string[]
}

const NETWORK = 'networks: { n: {}, m: {} }'
const SUBNETS = `${NETWORK}
---
subnets: { s: { network: n, cidr: 10.0.0.0/24 }, t: { network: n, cidr: 'fd00::/64' } }`

const TAPPED = `site: { overlay_ip_version: 6 }
---
hosts: { h1: { tunnel_ip: '2001:db8::1' } }
---
networks: { n: { mtu: 1400 } }
---
ports: { p: { network: n, host: h1 }, q: { network: n, host: h1 } }`

const ROWS: readonly Row[] = [
  {
    kind: 'site',
    what: 'a MAC and a number',
    normal: "site: { base_mac: 'fa:16:3e:0a:00:00', global_physnet_mtu: 9000 }",
    others: [
      "site: { base_mac: 'FA-16-3E-0A-00-00', global_physnet_mtu: 0x2328 }",
      "site: { base_mac: 'fa163e0a0000', global_physnet_mtu: 9.0e3 }",
    ],
  },
  {
    kind: 'network',
    what: 'booleans and numbers as YAML 1.2 has them, mtu 0, the case of a domain, the order of tags',
    normal: 'networks: { n: { network_type: vxlan, segmentation_id: 100, shared: true, dns_domain: example.org., tags: [a, b] } }',
    others: [
      'networks: { n: { network_type: vxlan, segmentation_id: 0x64, shared: True, mtu: 0, dns_domain: Example.ORG., tags: [b, a] } }',
      'networks: { n: { tags: [b, a], dns_domain: EXAMPLE.org., shared: TRUE, segmentation_id: 0o144, network_type: "vxlan" } }',
    ],
  },
  {
    kind: 'address_scope',
    what: 'booleans',
    normal: 'address_scopes: { a: { ip_version: 4, shared: false } }',
    others: ['address_scopes: { a: { shared: False, ip_version: 0x4 } }'],
  },
  {
    kind: 'subnetpool',
    what: 'prefixes: order, neighbours, host bits, case and zeros',
    normal: "subnetpools: { p: { prefixes: ['fd00:64::/40', 'fd00:100::/40'] } }",
    others: [
      "subnetpools: { p: { prefixes: ['FD00:0100:0::/40', 'fd00:0064:0:0::/40'] } }",
      "subnetpools: { p: { prefixes: ['fd00:100::/41', 'fd00:100:80::/41', 'fd00:64::/40'] } }",
      "subnetpools: { p: { prefixes: ['fd00:100::1/40', 'fd00:64::/40'] } }",
    ],
  },
  {
    kind: 'subnetpool',
    what: 'the own project in front of a name',
    beside: 'address_scopes: { a: { ip_version: 4 } }',
    normal: 'subnetpools: { p: { prefixes: [10.64.0.0/16], address_scope: a } }',
    others: ['subnetpools: { p: { prefixes: [10.64.0.0/17, 10.64.128.0/17], address_scope: default/a } }'],
  },
  {
    kind: 'subnet',
    what: 'host bits, addresses, sets',
    beside: NETWORK,
    normal: `subnets: { s: { network: n, cidr: 'fd00:1::/64', gateway_ip: 'fd00:1::1', allocation_pools: [{ start: 'fd00:1::a', end: 'fd00:1::b' }, { start: 'fd00:1::1a', end: 'fd00:1::1b' }],
      dns_nameservers: ['fd00::53', 'fd00::54'], host_routes: [{ destination: 'fd00:2::/64', nexthop: 'fd00:1::2' }, { destination: 'fd00:3::/64', nexthop: 'fd00:1::2' }], service_types: [compute:a, compute:b] } }`,
    others: [
      `subnets: { s: { network: default/n, cidr: 'FD00:0001::5/64', gateway_ip: 'fd00:1:0::0001', allocation_pools: [{ start: 'FD00:1::1A', end: 'fd00:1::1b' }, { start: 'fd00:1::000a', end: 'fd00:1:0:0:0:0:0:b' }],
      dns_nameservers: ['FD00::53', 'fd00:0::54'], host_routes: [{ nexthop: 'FD00:1::2', destination: 'fd00:3::/64' }, { destination: 'fd00:2:0::/64', nexthop: 'fd00:1::2' }], service_types: [compute:b, compute:a] } }`,
    ],
  },
  {
    kind: 'subnet',
    what: 'a default pool that is not used',
    beside: NETWORK,
    normal: 'subnets: { s: { network: n, cidr: 10.0.0.0/24 } }',
    others: ['subnets: { s: { network: n, cidr: 10.0.0.77/24, use_default_subnetpool: false } }'],
  },
  {
    kind: 'subnet',
    what: 'the own project in front of a pool',
    beside: `${NETWORK}
---
subnetpools: { p: { prefixes: [10.64.0.0/16] } }`,
    normal: 'subnets: { s: { network: n, subnetpool: p, cidr: 10.64.1.0/24 } }',
    others: ['subnets: { s: { network: default/n, subnetpool: default/p, cidr: 10.64.1.0/24 } }'],
  },
  ...['00-11-22-33-44-5A', '00112233445a', '0:11:22:33:44:5a', '0011.2233.445A', '00:11:22:33:44:5A'].map((mac) => ({
    kind: 'port',
    what: `MAC ${mac}`,
    beside: NETWORK,
    normal: "ports: { p: { network: n, mac_address: '00:11:22:33:44:5a' } }",
    others: [`ports: { p: { network: default/n, mac_address: '${mac}' } }`],
  })),
  {
    kind: 'port',
    what: 'addresses, pairs and options: spelling and order',
    beside: SUBNETS,
    normal: `ports: { p: { network: n, fixed_ips: [{ ip_address: 10.0.0.9 }, { subnet: t, ip_address: 'fd00::9' }], allowed_address_pairs: [{ ip_address: 10.0.0.50 }, { ip_address: 'fd00:5::/64', mac_address: 'fa:16:3e:00:00:01' }],
      extra_dhcp_opts: [{ opt_name: bootfile-name, opt_value: x }, { opt_name: tftp-server, opt_value: y }], dns_name: web-1 } }`,
    others: [
      `ports: { p: { network: n, fixed_ips: [{ ip_address: 'FD00:0::9', subnet: default/t }, { ip_address: 10.0.0.9 }], allowed_address_pairs: [{ mac_address: FA-16-3E-00-00-01, ip_address: 'FD00:5::7/64' }, { ip_address: 10.0.0.50/32 }],
      extra_dhcp_opts: [{ opt_name: tftp-server, opt_value: y, ip_version: 4 }, { opt_name: bootfile-name, opt_value: x }], dns_name: Web-1 } }`,
    ],
  },
  {
    kind: 'port',
    what: 'security groups: order, the own project in front of a name, the default group left out',
    beside: `${NETWORK}
---
security_groups: { a: {}, b: {} }`,
    normal: 'ports: { p: { network: n, security_groups: [a, b] }, q: { network: n } }',
    others: ['ports: { p: { network: n, security_groups: [default/b, a] }, q: { network: n } }'],
  },
  {
    kind: 'security_group',
    what: 'protocols, prefixes, ranges, names, and the order of rules',
    beside: 'address_groups: { a: {} }',
    normal: `security_groups: { g: { rules: [
      { direction: ingress, protocol: tcp, remote_ip_prefix: 10.0.0.0/8 }, { direction: ingress, ethertype: IPv6, protocol: ipv6-icmp, port_range_min: 128 }, { direction: ingress, protocol: icmp },
      { direction: ingress, remote_group: g }, { direction: egress, protocol: udp, remote_address_group: a }, { direction: ingress, ethertype: IPv6 }, { direction: ingress, protocol: 0 }] } }`,
    others: [
      `security_groups: { g: { rules: [
      { direction: ingress, protocol: '1' }, { direction: ingress, ethertype: ipv6, remote_ip_prefix: '::/0', protocol: any }, { direction: ingress, ethertype: IPv6, protocol: 58, port_range_min: 0x80 },
      { direction: egress, protocol: 17, port_range_min: 1, port_range_max: 65535, remote_address_group: default/a, ethertype: IPV4 }, { direction: ingress, remote_group: default/g, description: '' },
      { direction: ingress, protocol: TCP, remote_ip_prefix: 10.20.30.40/8 }, { direction: ingress, protocol: hopopt }] } }`,
      `security_groups: { g: { rules: [
      { direction: ingress, protocol: ip }, { direction: ingress, ethertype: IPv6, protocol: icmp, port_range_min: 128 }, { direction: ingress, protocol: 6, remote_ip_prefix: 10.0.0.1/8 }, { direction: ingress, protocol: ICMP, remote_ip_prefix: 0.0.0.0/0 },
      { direction: ingress, remote_group: g }, { direction: egress, protocol: UDP, remote_address_group: a }, { direction: ingress, ethertype: IPv6 }] } }`,
      ...['icmpv6', '1', 'IPv6-ICMP'].map(
        (name) => `security_groups: { g: { rules: [
      { direction: ingress, protocol: tcp, remote_ip_prefix: 10.0.0.0/8 }, { direction: ingress, ethertype: IPv6, protocol: ${name}, port_range_min: 128 }, { direction: ingress, protocol: icmp },
      { direction: ingress, remote_group: g }, { direction: egress, protocol: udp, remote_address_group: a }, { direction: ingress, ethertype: IPv6 }, { direction: ingress, protocol: '0' }] } }`,
      ),
    ],
  },
  {
    kind: 'site',
    what: 'rules of the template: spelling and order',
    normal: `site: { default_security_group_rules: [{ direction: egress, used_in_default_sg: true, used_in_non_default_sg: true }, { direction: ingress, protocol: tcp, remote_group: PARENT, used_in_default_sg: true, used_in_non_default_sg: false }] }`,
    others: [
      `site: { default_security_group_rules: [{ used_in_non_default_sg: False, direction: ingress, protocol: 6, remote_group: PARENT, used_in_default_sg: True }, { direction: egress, ethertype: ipv4, remote_ip_prefix: 0.0.0.0/0, used_in_default_sg: true, used_in_non_default_sg: true }] }`,
    ],
  },
  {
    kind: 'address_group',
    what: 'addresses: host bits, masks, case and order',
    normal: "address_groups: { a: { addresses: [10.1.0.0/16, 192.0.2.7/32, '2001:db8::/32'] } }",
    others: ["address_groups: { a: { addresses: ['2001:0DB8::1/32', 192.0.2.7, 10.1.2.3/16] } }"],
  },
  {
    kind: 'host',
    what: 'a tunnel address, the order of a map',
    beside: 'site: { overlay_ip_version: 6 }',
    normal: "hosts: { h: { tunnel_ip: 'fd00::1', bridge_mappings: { a: br-a, b: br-b } } }",
    others: ["hosts: { h: { bridge_mappings: { b: br-b, a: br-a }, tunnel_ip: 'FD00:0:0::0001' } }"],
  },
  {
    kind: 'rbac_policy',
    what: 'the own project in front of the object',
    beside: NETWORK,
    normal: "rbac_policies: { r: { object_type: network, object: n, action: access_as_shared, target_project: '*' } }",
    others: ['rbac_policies: { r: { target_project: "*", object_type: network, object: default/n, action: access_as_shared } }'],
  },
  {
    kind: 'qos_policy',
    what: 'the order of rules, what is left out',
    normal: 'qos_policies: { p: { rules: [{ type: bandwidth_limit, max_kbps: 1000 }, { type: dscp_marking, dscp_mark: 8 }] } }',
    others: [
      'qos_policies: { p: { rules: [{ dscp_mark: 0x8, type: dscp_marking }, { type: bandwidth_limit, max_kbps: 1000 }] } }',
      'qos_policies: { p: { rules: [{ type: bandwidth_limit, direction: egress, max_kbps: 1000, max_burst_kbps: 0 }, { type: dscp_marking, dscp_mark: 8 }] } }',
    ],
  },
  {
    kind: 'quota',
    what: 'numbers, the order of a map',
    normal: 'quotas: { web: { networks: 16, ports: -1 } }',
    others: ['quotas: { web: { ports: -1, networks: 0x10 } }'],
  },
  {
    kind: 'network_segment_range',
    what: 'numbers',
    normal: 'network_segment_ranges: { r: { network_type: vxlan, minimum: 16, maximum: 32 } }',
    others: ['network_segment_ranges: { r: { maximum: 0x20, minimum: 0x10, network_type: vxlan } }'],
  },
  {
    kind: 'tap_service',
    what: 'the own project in front of a name',
    beside: TAPPED,
    normal: 'tap_services: { t: { port: p } }',
    others: ['tap_services: { t: { port: default/p } }'],
  },
  {
    kind: 'tap_flow',
    what: 'the own project in front of names',
    beside: `${TAPPED}\n---\ntap_services: { t: { port: p } }`,
    normal: 'tap_flows: { f: { tap_service: t, source_port: q, direction: IN } }',
    others: ['tap_flows: { f: { direction: IN, source_port: default/q, tap_service: default/t } }'],
  },
  {
    kind: 'tap_mirror',
    what: 'an address, numbers, the order of directions',
    beside: TAPPED,
    normal: "tap_mirrors: { m: { port: p, mirror_type: gre, remote_ip: '2001:db8::9', directions: { IN: 16, OUT: 17 } } }",
    others: ["tap_mirrors: { m: { port: default/p, mirror_type: gre, remote_ip: '2001:DB8:0::9', directions: { OUT: 17, IN: 0x10 } } }"],
  },
  {
    kind: 'log',
    what: 'the group of its own project',
    beside: 'security_groups: { g: {} }',
    normal: 'logs: { l: { security_group: g, event: DROP } }',
    others: ['logs: { l: { event: DROP, security_group: default/g } }'],
  },
  {
    kind: 'trunk',
    what: 'the order of subports, a type that is the default, a number',
    beside: 'networks: { a: {}, b: {}, c: {} }\n---\nports: { p: { network: a }, q: { network: b }, r: { network: c } }',
    normal: 'trunks: { t: { port: p, subports: [{ port: q, segmentation_id: 10 }, { port: r, segmentation_id: 16 }] } }',
    others: [
      'trunks: { t: { port: p, subports: [{ port: r, segmentation_id: 0x10 }, { port: q, segmentation_id: 10 }] } }',
      'trunks: { t: { port: p, subports: [{ port: q, segmentation_id: 10, segmentation_type: vlan }, { port: r, segmentation_id: 16 }] } }',
    ],
  },
  {
    kind: 'router',
    what: 'the order of interfaces and routes, names of the own project, prefixes with host bits, forms of addresses',
    beside:
      "networks: { a: {}, b: {} }\n---\nsubnets: { s: { network: a, cidr: 10.1.0.0/24 }, t: { network: b, cidr: 'fd00:2::/64', gateway_ip: 'fd00:2::1' } }",
    normal:
      "routers: { r: { interfaces: [{ subnet: s }, { subnet: t }], routes: [{ destination: 10.9.0.0/16, nexthop: 10.1.0.9 }, { destination: 'fd09::/16', nexthop: 'fd00:2::9' }] } }",
    others: [
      "routers: { r: { interfaces: [{ subnet: default/t }, { subnet: s }], routes: [{ destination: 'FD09:0::1/16', nexthop: 'fd00:2:0::9' }, { destination: 10.9.0.1/16, nexthop: 10.1.0.9 }] } }",
    ],
  },
]

function planFrom(base: World, yaml: readonly string[]): ReturnType<typeof computePlan> {
  const ops: DeclaredOps = { set: yaml.flatMap((text) => write(text).declared), del: [] }
  const guards: PlanInput['guards'] = { delete_ratio: 1, delete_ratio_min: 1000, delete_count: 1000, delete_settle_ms: 0 }
  const step = engine.step(base, ops, { now: 0 })
  return computePlan({
    base,
    baseRevision: 1,
    registry: '',
    ops,
    step,
    footprint: engine.footprint,
    kinds,
    places: () => undefined,
    guards,
  })
}

for (const { kind, what, beside, normal, others } of ROWS) {
  test(`${kind}: ${what}`, (t) => {
    const with_ = beside === undefined ? [] : [beside]
    const base = build(...with_, normal)
    t.deepEqual([...base.findings], [])
    for (const other of others) {
      const plan = planFrom(base, [...with_, other])
      t.deepEqual([...build(...with_, other).findings], [], other)
      t.true(isEmptyPlan(plan), `${other}\n${JSON.stringify([plan.ops, plan.changes.map((c) => c.attributes)], undefined, 1)}`)
      t.deepEqual(planFrom(build(...with_, other), [...with_, normal]).changes, [], other)
    }
  })
}

test('every kind has a row', (t) => {
  t.deepEqual([...new Set(ROWS.map((r) => r.kind))].sort(), kinds.map((k) => k.kind).sort())
})

test('words that were booleans in YAML 1.1 are words', (t) => {
  for (const word of ['yes', 'no', 'on', 'off', 'Yes', 'NO', 'y'])
    t.regex(write(`networks: { n: { shared: ${word} } }`).findings.join(), /must be boolean/)
})
