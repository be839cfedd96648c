import fc from 'fast-check'
import { HOSTS, type Written, type WrittenGroup, type WrittenNetwork, type WrittenPort, type WrittenRule } from './written.ts'

const PORTS = ['a', 'b', 'c', 'd', 'e'] as const
const STATEFUL = ['s1', 's2']
const STATELESS = 't1'
const ALL_GROUPS = [...STATEFUL, STATELESS, 'default']
/** A MAC that several ports may have beside their own. */
export const SHARED_MAC = '02:00:00:00:00:ee'

/** Small worlds in which everything meets everything. Two networks use the same addresses. */
export const worlds: fc.Arbitrary<Written> = fc
  .record({
    networks: fc.tuple(network(0), network(1)),
    ports: fc.array(rawPort(), { size: 'max', minLength: 2, maxLength: PORTS.length }),
    groups: fc.tuple(...ALL_GROUPS.map((name) => group(name))),
    offices: fc.subarray(['10.0.0.10/31', '10.0.0.128/29', '10.0.0.14', 'fd00::10/126', 'fd00::13', '::/0', '192.0.2.0/24']),
  })
  .map(({ networks, ports, groups, offices }) => ({
    hosts: HOSTS,
    networks: { n0: networks[0], n1: networks[1] },
    subnets: Object.fromEntries(
      [0, 1].flatMap((n) => [
        [`v4-${n}`, { network: `n${n}`, cidr: '10.0.0.0/24' }],
        [`v6-${n}`, { network: `n${n}`, cidr: 'fd00::/64' }],
      ]),
    ),
    security_groups: Object.fromEntries(groups.map((g, i) => [ALL_GROUPS[i], g])),
    address_groups: { offices: { addresses: offices } },
    ports: Object.fromEntries(ports.map((p, i) => [PORTS[i], port(p, i)])),
  }))

function network(n: number): fc.Arbitrary<WrittenNetwork> {
  const carried = fc.constantFrom<WrittenNetwork>(
    { network_type: 'vxlan', segmentation_id: 100 + n },
    { network_type: 'vlan', physical_network: 'physnet1', segmentation_id: 100 + n },
    { network_type: 'vxlan', segmentation_id: 200 + n },
    { network_type: 'local' },
  )
  return fc.tuple(carried, rarely(20)).map(([of, down]) => (down ? { ...of, admin_state_up: false } : of))
}

/** True once in `n`. Large numbers are what fast-check likes least. */
function rarely(n: number): fc.Arbitrary<boolean> {
  return fc.nat(n - 1).map((x) => x === n - 1)
}

const RANGES: readonly (readonly [number, number])[] = [
  [22, 22],
  [80, 443],
  [1, 1023],
  [1000, 1999],
  [7001, 7001],
  [6999, 7003],
  [1024, 65535],
  [65535, 65535],
  [1, 65535],
]

type About = Pick<WrittenRule, 'protocol' | 'port_range_min' | 'port_range_max'>

const ICMP: readonly About[] = [
  { protocol: 'icmp' },
  { protocol: 'icmp', port_range_min: 8 },
  { protocol: 'icmp', port_range_min: 128 },
  { protocol: 'icmp', port_range_min: 8, port_range_max: 0 },
  { protocol: 'icmp', port_range_min: 128, port_range_max: 0 },
  { protocol: 'icmp', port_range_min: 0 },
  { protocol: 'icmp', port_range_min: 129 },
]

function about(): fc.Arbitrary<About> {
  const ranged = fc
    .tuple(fc.constantFrom('tcp', 'udp', 'tcp', 'udp', 'sctp'), fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...RANGES) }, anyRange()))
    .map(([protocol, [min, max]]): About => ({ protocol, port_range_min: min, port_range_max: max }))
  const plain = fc.constantFrom<About>({}, {}, { protocol: 'tcp' }, { protocol: 'udp' }, { protocol: 47 })
  return fc.oneof({ weight: 3, arbitrary: ranged }, { weight: 2, arbitrary: plain }, { weight: 2, arbitrary: fc.constantFrom(...ICMP) })
}

function anyRange(): fc.Arbitrary<readonly [number, number]> {
  return fc.tuple(fc.integer({ min: 1, max: 9000 }), fc.nat(3000)).map(([first, more]) => [first, first + more])
}

type Remote = Pick<WrittenRule, 'remote_group' | 'remote_address_group' | 'remote_ip_prefix'>

function remote(six: boolean): fc.Arbitrary<Remote> {
  const prefixes = six
    ? ['fd00::10/127', 'fd00::/64', 'fd00::12', 'fe80::/10', '::/0', 'fd00::80/121']
    : ['10.0.0.10/31', '10.0.0.0/24', '10.0.0.12', '0.0.0.0/0', '10.0.0.128/25', '255.255.255.255']
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant<Remote>({}) },
    { weight: 2, arbitrary: fc.constantFrom(...ALL_GROUPS).map((remote_group): Remote => ({ remote_group })) },
    { weight: 1, arbitrary: fc.constant<Remote>({ remote_address_group: 'offices' }) },
    { weight: 2, arbitrary: fc.constantFrom(...prefixes).map((remote_ip_prefix): Remote => ({ remote_ip_prefix })) },
  )
}

function rule(): fc.Arbitrary<WrittenRule> {
  return fc.boolean().chain((six) =>
    fc
      .record({
        direction: fc.constantFrom('ingress' as const, 'ingress' as const, 'egress' as const),
        about: about(),
        other: remote(six),
      })
      .map(({ direction, about: what, other }) => ({ direction, ...(six ? { ethertype: 'IPv6' as const } : {}), ...what, ...other })),
  )
}

/** Two spellings of one rule are refused: the whole of a family and of all ports are left out when rules are compared. */
function identity({ remote_ip_prefix: prefix, port_range_min: min, port_range_max: max, ...rest }: WrittenRule): string {
  const ports = min === 1 && max === 65535 ? [] : [min, max]
  return JSON.stringify([rest, prefix?.endsWith('/0') === true ? undefined : prefix, ports[0], ports[1]].map((x) => x ?? null))
}

/** Rules that the template brings are refused too. */
function isTemplate(
  { direction, protocol, remote_ip_prefix: prefix, remote_group, remote_address_group }: WrittenRule,
  name: string,
): boolean {
  if (protocol !== undefined || remote_address_group !== undefined) return false
  if (prefix !== undefined && !prefix.endsWith('/0')) return false
  return direction === 'egress' ? remote_group === undefined : name === 'default' && remote_group === 'default'
}

function group(name: string): fc.Arbitrary<WrittenGroup> {
  return fc
    .record({ rules: fc.uniqueArray(rule(), { maxLength: 6, selector: identity }), defaults: fc.nat(2).map((n) => n < 2) })
    .map(({ rules, defaults }) => ({
      ...(name === STATELESS ? { stateful: false } : {}),
      ...(defaults ? {} : { default_rules: false }),
      rules: defaults ? rules.filter((r) => !isTemplate(r, name)) : rules,
    }))
}

interface RawPort {
  readonly network: string
  readonly host: string | undefined
  readonly down: boolean
  readonly open: boolean
  readonly groups: readonly string[] | undefined
  readonly families: readonly (4 | 6)[]
  readonly pairs: readonly { readonly ip_address: string; readonly mac_address?: string }[]
}

function rawPort(): fc.Arbitrary<RawPort> {
  return fc.record({
    network: fc.constantFrom('n0', 'n0', 'n0', 'n0', 'n1'),
    host: fc.constantFrom('h1', 'h1', 'h2', 'h2', 'h1', 'h2', undefined),
    down: rarely(10),
    open: rarely(5),
    groups: fc.constantFrom<readonly string[] | undefined>(
      ['s1'],
      ['s1'],
      ['s2'],
      ['s1', 's2'],
      [STATELESS],
      [STATELESS],
      undefined,
      ['default', 's2'],
      [],
    ),
    families: fc.constantFrom<readonly (4 | 6)[]>([4, 6], [4, 6], [4, 6], [4], [6]),
    pairs: fc.subarray<RawPort['pairs'][number]>(
      [
        { ip_address: '10.0.0.130/31' },
        { ip_address: 'fd00::84/126' },
        { ip_address: '10.0.0.140', mac_address: SHARED_MAC },
        { ip_address: 'fd00::90', mac_address: SHARED_MAC },
      ],
      { maxLength: 2 },
    ),
  })
}

function port({ network, host, down, open, groups, families, pairs }: RawPort, i: number): WrittenPort {
  const guarded = {
    ...(groups === undefined ? {} : { security_groups: groups }),
    ...(pairs.length === 0 ? {} : { allowed_address_pairs: pairs }),
  }
  return {
    network,
    ...(host === undefined ? {} : { host }),
    mac_address: `02:00:00:00:00:1${i}`,
    fixed_ips: families.map((f) => ({ ip_address: f === 4 ? `10.0.0.${10 + i}` : `fd00::1${i}` })),
    ...(down ? { admin_state_up: false } : {}),
    ...(open ? { port_security_enabled: false } : guarded),
  }
}
