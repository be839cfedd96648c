import fc from 'fast-check'
import { ownNames } from '../../../src/kinds/own-names.ts'
import type { JsonObject } from '../../../src/model/brand.ts'
import { type Key, makeKey } from '../../../src/model/key.ts'
import type { Declared } from '../../../src/model/resource.ts'
import type { DeclaredOps } from '../../../src/server/engine/types.ts'
import { kinds } from '../../support/kinds.ts'
import { withImplied } from '../../support/world.ts'

/** Resources out of few names and narrow pools, so that values are fought for, references break, and errors come and go. */
const NETWORKS = ['n1', 'n2', 'n3']
const SUBNETS = ['s1', 's2', 's3', 's4']
const PORTS = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6']
const HOSTS = ['h1', 'h2', 'h3']

export type Edit = { readonly kind: string; readonly project: string; readonly name: string; readonly spec: JsonObject | undefined }

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq: 2 })
/** A record without the members that came out undefined. */
const sparse = (members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<JsonObject> =>
  fc.record(members).map((r) => Object.fromEntries(Object.entries(r).filter(([, v]) => v !== undefined)) as JsonObject)

const description = maybe(fc.constantFrom('a', 'b'))
const id = fc.option(fc.constantFrom('11111111-2222-3333-4444-555555555555', '11111111-2222-3333-4444-666666666666'), {
  nil: undefined,
  freq: 12,
})
const crossed = (names: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...names) },
    { weight: 1, arbitrary: fc.constantFrom('other/n1', 'default/n1', 'default/n2', 'nowhere') },
  )

const single = sparse({
  network_type: maybe(fc.constantFrom('vxlan', 'vlan', 'flat', 'geneve', 'local')),
  physical_network: fc.option(fc.constantFrom('physnet1', 'physnet2'), { nil: undefined, freq: 1 }),
  segmentation_id: maybe(fc.constantFrom(1, 2, 3)),
  mtu: maybe(fc.constantFrom(0, 1000, 1400, 9000)),
  port_security_enabled: maybe(fc.boolean()),
  shared: fc.option(fc.boolean(), { nil: undefined, freq: 2 }),
  external: fc.option(fc.boolean(), { nil: undefined, freq: 2 }),
  availability_zone_hints: fc.option(fc.constantFrom(['nova'], ['east'], ['east', 'nova']), { nil: undefined, freq: 3 }),
  description,
  id,
})
const segment = sparse({
  name: maybe(fc.constantFrom('a', 'b')),
  network_type: fc.constantFrom('vxlan', 'vxlan', 'vlan', 'geneve'),
  physical_network: fc.option(fc.constantFrom('physnet1', 'physnet2'), { nil: undefined, freq: 1 }),
  segmentation_id: maybe(fc.constantFrom(1, 2, 3)),
})
const several = sparse({ segments: fc.array(segment, { minLength: 1, maxLength: 3 }), mtu: maybe(fc.constantFrom(1000, 1400)) })
const network = fc.oneof({ weight: 5, arbitrary: single }, { weight: 2, arbitrary: several })
const shared = fc.oneof(
  { weight: 2, arbitrary: fc.record({ object_type: fc.constant('network'), object: crossed(NETWORKS) }) },
  { weight: 1, arbitrary: fc.record({ object_type: fc.constant('security_group'), object: fc.constantFrom('g1', 'g2', 'default') }) },
  { weight: 1, arbitrary: fc.record({ object_type: fc.constant('address_group'), object: fc.constantFrom('a1', 'a2') }) },
)
const given = fc.record({
  action: fc.constantFrom('access_as_shared', 'access_as_shared', 'access_as_external'),
  target_project: fc.constantFrom('default', 'other', '*'),
})
const policy: fc.Arbitrary<JsonObject> = fc.tuple(shared, given).map(([what, how]) => ({ ...what, ...how }))
const quota = sparse({ ports: maybe(fc.constantFrom(-1, 0, 2)), networks: maybe(fc.constantFrom(1, 5)) })
const subnet = sparse({
  network: crossed(NETWORKS),
  cidr: fc.constantFrom('10.0.0.0/30', '10.0.0.0/29', '10.0.1.0/24', 'fd00::/64', 'fd01::/64'),
  gateway_ip: fc.option(fc.constantFrom(null, '10.0.0.2', '192.0.2.9'), { nil: undefined, freq: 2 }),
  ipv6_address_mode: fc.option(fc.constant('slaac'), { nil: undefined, freq: 3 }),
  segment: fc.option(fc.constantFrom('a', 'b'), { nil: undefined, freq: 3 }),
  service_types: fc.option(fc.constantFrom(['compute:'], ['network:dhcp', 'compute:x']), { nil: undefined, freq: 5 }),
  description,
})
const fixedIp = sparse({
  subnet: maybe(fc.constantFrom(...SUBNETS, 'default/s1')),
  ip_address: maybe(fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.5', '10.0.1.7', 'fd00::7')),
}).filter((r) => Object.keys(r).length > 0)
const port = sparse({
  network: crossed(NETWORKS),
  host: maybe(fc.constantFrom(...HOSTS)),
  mac_address: maybe(fc.constantFrom('fa:16:3e:00:00:01', 'fa:16:3e:00:00:02')),
  fixed_ips: maybe(fc.array(fixedIp, { maxLength: 2 })),
  device_owner: fc.option(fc.constantFrom('compute:x', 'network:dhcp', 'network:router_interface'), { nil: undefined, freq: 3 }),
  allowed_address_pairs: fc.option(fc.constant([{ ip_address: '10.0.0.9' }]), { nil: undefined, freq: 4 }),
  plug: fc.option(fc.constantFrom({ type: 'internal', interface: 'nl-a' }, { type: 'veth', netns: 'web' }), { nil: undefined, freq: 4 }),
  security_groups: fc.option(fc.constantFrom(['g1'], ['g2', 'g1'], ['default'], ['default', 'g3'], ['default/g1'], ['other/g1'], []), {
    nil: undefined,
    freq: 1,
  }),
  port_security_enabled: fc.option(fc.boolean(), { nil: undefined, freq: 6 }),
  description,
})
const GROUPS = ['g1', 'g2', 'g3']
const rule = sparse({
  direction: fc.constantFrom('ingress', 'egress'),
  ethertype: fc.option(fc.constant('IPv6'), { nil: undefined, freq: 2 }),
  protocol: fc.option(fc.constantFrom('tcp', 'icmp', 6, 'any'), { nil: undefined, freq: 2 }),
  remote_group: fc.option(fc.constantFrom(...GROUPS, 'default', 'default/g1', 'other/g1', 'nowhere'), { nil: undefined, freq: 1 }),
  remote_address_group: fc.option(fc.constantFrom('a1', 'a2', 'default/a1'), { nil: undefined, freq: 4 }),
})
const securityGroup = sparse({
  rules: maybe(fc.array(rule, { maxLength: 3 })),
  default_rules: fc.option(fc.boolean(), { nil: undefined, freq: 3 }),
  stateful: fc.option(fc.boolean(), { nil: undefined, freq: 6 }),
  description,
})
const addressGroup = sparse({ addresses: maybe(fc.constantFrom(['10.1.0.0/16'], ['10.1.0.0/16', 'fd00::/8'], [])), description })
const host = sparse({
  tunnel_ip: maybe(fc.constantFrom('192.0.2.1', '192.0.2.2', 'fd00::1')),
  availability_zone: maybe(fc.constant('east')),
  bridge_mappings: maybe(fc.constantFrom({ physnet1: 'br-1' }, { physnet2: 'br-2' }, { physnet1: 'br-1', physnet2: 'br-2' })),
})
const site = sparse({
  vni_ranges: maybe(fc.constantFrom([{ from: 1, to: 2 }], [{ from: 2, to: 4 }])),
  network_vlan_ranges: maybe(fc.constantFrom([{ physical_network: 'physnet1', from: 1, to: 2 }], [{ physical_network: 'physnet2' }])),
  project_network_types: maybe(fc.constantFrom(['vlan', 'vxlan'], ['geneve'])),
  type_drivers: fc.option(fc.constant(['vxlan', 'vlan']), { nil: undefined, freq: 4 }),
  base_mac: maybe(fc.constant('fa:16:3e:4f:00:00')),
  default_security_group_rules: fc.option(
    fc.constantFrom(
      [],
      [{ direction: 'egress', used_in_default_sg: true, used_in_non_default_sg: true }],
      [{ direction: 'ingress', remote_group: 'PARENT', used_in_default_sg: false, used_in_non_default_sg: true }],
    ),
    { nil: undefined, freq: 3 },
  ),
})

const router = sparse({
  interfaces: maybe(
    fc.uniqueArray(fc.oneof(fc.record({ subnet: fc.constantFrom(...SUBNETS) }), fc.record({ port: fc.constantFrom(...PORTS) })), {
      maxLength: 3,
      selector: (i) => JSON.stringify(i),
    }),
  ),
  routes: fc.option(
    fc.constantFrom([{ destination: '10.9.0.0/16', nexthop: '10.0.0.5' }], [{ destination: '0.0.0.0/0', nexthop: '10.0.1.7' }]),
    {
      nil: undefined,
      freq: 1,
    },
  ),
  admin_state_up: fc.option(fc.boolean(), { nil: undefined, freq: 4 }),
  description,
})

const edit = (kind: string, names: readonly string[], spec: fc.Arbitrary<JsonObject>, projects: readonly string[]): fc.Arbitrary<Edit> =>
  fc.record({
    kind: fc.constant(kind),
    project: fc.constantFrom(...projects),
    name: fc.constantFrom(...names),
    spec: fc.option(spec, { nil: undefined, freq: 4 }),
  })

/** Networks, subnets and ports that resolve: what random edits then happen to. */
export const SOUND: readonly Edit[] = [
  ...HOSTS.map((name, i): Edit => ({ kind: 'host', project: '', name, spec: { tunnel_ip: `192.0.2.${i + 1}` } })),
  { kind: 'network', project: 'default', name: 'n1', spec: {} },
  { kind: 'network', project: 'default', name: 'n2', spec: { network_type: 'vxlan' } },
  { kind: 'subnet', project: 'default', name: 's1', spec: { network: 'n1', cidr: '10.0.0.0/29' } },
  { kind: 'subnet', project: 'default', name: 's2', spec: { network: 'n2', cidr: '10.0.1.0/24' } },
  ...PORTS.map((name, i): Edit => ({ kind: 'port', project: 'default', name, spec: { network: i < 3 ? 'n1' : 'n2', host: 'h1' } })),
]

export const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 3, arbitrary: edit('network', NETWORKS, network, ['default', 'default', 'other']) },
  { weight: 4, arbitrary: edit('subnet', SUBNETS, subnet, ['default']) },
  { weight: 8, arbitrary: edit('port', PORTS, port, ['default', 'default', 'default', 'other']) },
  { weight: 3, arbitrary: edit('host', HOSTS, host, ['']) },
  { weight: 4, arbitrary: edit('router', ['q1', 'q2', 'q3'], router, ['default']) },
  { weight: 4, arbitrary: edit('security_group', GROUPS, securityGroup, ['default', 'default', 'other']) },
  { weight: 2, arbitrary: edit('address_group', ['a1', 'a2'], addressGroup, ['default', 'default', 'other']) },
  { weight: 2, arbitrary: edit('rbac_policy', ['r1', 'r2'], policy, ['default', 'other']) },
  { weight: 1, arbitrary: edit('quota', ['default', 'other', '*'], quota, ['']) },
  { weight: 1, arbitrary: edit('site', ['site'], site, ['']) },
)

/** Little else than sharing: one project's networks, its policies, and ports of two other projects. */
export const sharingEdit: fc.Arbitrary<Edit> = fc.oneof(
  edit('network', ['n1', 'n2'], sparse({ shared: maybe(fc.boolean()), external: maybe(fc.boolean()) }), ['default']),
  edit('subnet', ['s1'], fc.constant({ network: 'n1', cidr: '10.0.0.0/24' }), ['default']),
  edit(
    'rbac_policy',
    ['r1', 'r2'],
    fc.record({
      object_type: fc.constant('network'),
      object: fc.constantFrom('n1', 'default/n2'),
      action: fc.constantFrom('access_as_shared', 'access_as_external'),
      target_project: fc.constantFrom('other', '*'),
    }),
    ['default'],
  ),
  edit(
    'port',
    ['p1', 'p2'],
    fc.constantFrom({ network: 'default/n1' }, { network: 'default/n2' }, { network: 'default/n1', fixed_ips: [{ subnet: 'default/s1' }] }),
    ['other', 'third'],
  ),
)

const byKind = new Map(kinds.map((k) => [k.kind, k]))

/** A declared resource, or undefined where the loader would have refused it. */
export function declaredOf({ kind, project, name, spec }: Edit): Declared | undefined {
  const definition = byKind.get(kind)
  if (definition === undefined || spec === undefined) return undefined
  const normalised = definition.normalise(spec)
  if (normalised.findings.some((f) => (f.severity ?? 'error') === 'error')) return undefined
  return { key: makeKey(kind, project, name), kind, project, name, spec: ownNames(definition, normalised.spec, project) }
}

/** Edits as ops: of several for one resource the last counts, and one that the loader refuses is none. */
export function opsOf(edits: readonly Edit[]): DeclaredOps {
  const last = new Map<Key, Declared | undefined>()
  for (const e of edits) {
    const key = makeKey(e.kind, e.project, e.name)
    if (e.spec === undefined) last.set(key, undefined)
    else {
      const declared = declaredOf(e)
      if (declared !== undefined) last.set(key, declared)
    }
  }
  // Edits never write what ports take for granted, so it is the same in whatever pieces they come.
  const set = withImplied([...last.values()].filter((d) => d !== undefined))
  return { set, del: [...last].filter(([, d]) => d === undefined).map(([k]) => k) }
}
