import { SITE } from './repo.ts'

/** Resources by collection and name, as they are written. */
export type Repo = Readonly<Record<string, Readonly<Record<string, Spec>>>>
export type Spec = Readonly<Record<string, unknown>>

export const FILES = (repo: Repo): Readonly<Record<string, string>> => ({ 'netloom.yaml': SITE, 'net.yaml': textOf(repo) })

/** JSON is YAML. */
export function textOf(repo: Repo): string {
  const filled = Object.entries(repo).filter(([, resources]) => Object.keys(resources).length > 0)
  return `${JSON.stringify(Object.fromEntries(filled), undefined, 1)}\n`
}

/** `PROBE`: what every state lets through. `FORBIDDEN`: what none does. `SPOOFED`: rules let it through, from who has the address. */
export const PROBE = 7001
export const FORBIDDEN = 9999
export const SPOOFED = 7002

export const MAC = { a: 'fa:16:3e:00:00:0a', b: 'fa:16:3e:00:00:0b', c: 'fa:16:3e:00:00:0c' }

const both = (rule: Spec): Spec[] => [rule, { ...rule, ethertype: 'IPv6' }]
const icmp = (rule: Spec): Spec[] => [
  { ...rule, protocol: 'icmp' },
  { ...rule, protocol: 'ipv6-icmp', ethertype: 'IPv6' },
]
const udp = (first: number, last = first): Spec => ({ direction: 'ingress', protocol: 'udp', port_range_min: first, port_range_max: last })
const tcp = (first: number, last = first): Spec => ({ ...udp(first, last), protocol: 'tcp' })
/** What the streams need of who is spoken to, said in one of several ways. */
const allow = (by: Spec, first = PROBE, last = PROBE): Spec[] => [
  ...both({ ...udp(first, last), ...by }),
  ...both({ ...tcp(first, last), ...by }),
  ...icmp({ direction: 'ingress', ...by }),
]
const BY_PREFIX = (rules: (prefix: Spec) => Spec[]): Spec[] => [
  ...rules({ remote_ip_prefix: '10.0.0.0/8' }).filter((r) => r['ethertype'] !== 'IPv6'),
  ...rules({ remote_ip_prefix: 'fd00::/16' }).filter((r) => r['ethertype'] === 'IPv6'),
]
const SPOOF_RULE = { ...udp(SPOOFED), remote_ip_prefix: '10.10.0.0/16' }
const serving = (...rules: readonly Spec[]): Spec => ({ rules: [SPOOF_RULE, { ...tcp(22), remote_group: 'lonely' }, ...rules] })

const at = (network: string, n: number): Spec => ({
  fixed_ips: [{ ip_address: `10.${network === 'blue' ? 10 : 20}.0.${n}` }, { ip_address: `fd00:${network === 'blue' ? 10 : 20}::${n}` }],
})
const made = (network: string, host: string, n: number, name: string): Spec => ({
  network,
  host,
  fixed_ips: [{ ip_address: `10.${network === 'blue' ? 10 : 30}.0.${n}` }],
  plug: { type: 'internal', interface: `nl-${name}` },
})

export const BASE: Repo = {
  hosts: {
    h1: { tunnel_ip: '192.0.2.1', bridge_mappings: { physnet1: 'br-ex' } },
    h2: { tunnel_ip: '192.0.2.2', bridge_mappings: { physnet1: 'br-ex' } },
    h3: { tunnel_ip: '192.0.2.3' },
  },
  networks: {
    blue: { network_type: 'vxlan' },
    red: { network_type: 'vlan', physical_network: 'physnet1', segmentation_id: 120, mtu: 1450 },
    green: { network_type: 'vxlan', segmentation_id: 4300 },
  },
  subnets: {
    'blue-v4': { network: 'blue', cidr: '10.10.0.0/16' },
    'blue-v6': { network: 'blue', cidr: 'fd00:10::/64' },
    'red-v4': { network: 'red', cidr: '10.20.0.0/16' },
    'red-v6': { network: 'red', cidr: 'fd00:20::/64' },
    'green-v4': { network: 'green', cidr: '10.30.0.0/16' },
  },
  address_groups: {
    callers: { addresses: ['10.10.0.11/32', 'fd00:10::11/128', '10.20.0.11/32', 'fd00:20::11/128'] },
    others: { addresses: ['10.99.0.0/16'] },
  },
  qos_policies: {
    wide: {
      rules: [
        { type: 'bandwidth_limit', max_kbps: 1_000_000 },
        { type: 'bandwidth_limit', direction: 'ingress', max_kbps: 1_000_000 },
      ],
    },
    packets: {
      rules: [
        { type: 'packet_rate_limit', max_kpps: 100 },
        { type: 'bandwidth_limit', max_kbps: 1_000_000 },
        { type: 'dscp_marking', dscp_mark: 26 },
      ],
    },
  },
  security_groups: {
    client: {},
    'client-2': {},
    server: serving(...allow({ remote_group: 'client' }), ...allow({ remote_group: 'client-2' })),
    'server-2': serving(...allow({ remote_group: 'client' }), { ...tcp(443) }),
    'stateless-client': { stateful: false, rules: BY_PREFIX((p) => [...both({ direction: 'ingress', ...p })]) },
    'stateless-server': { ...serving(...BY_PREFIX((p) => allow(p))), stateful: false },
    lonely: {},
    extra: { rules: [tcp(8080)] },
    spare: {},
  },
  ports: {
    a: { network: 'blue', host: 'h1', mac_address: MAC.a, security_groups: ['client'], ...at('blue', 11) },
    b: { network: 'blue', host: 'h1', mac_address: MAC.b, security_groups: ['server'], ...at('blue', 12) },
    c: { network: 'blue', host: 'h2', mac_address: MAC.c, security_groups: ['server'], ...at('blue', 13) },
    va: { network: 'red', host: 'h1', security_groups: ['client'], ...at('red', 11) },
    vc: { network: 'red', host: 'h2', security_groups: ['server'], ...at('red', 13) },
    other: { ...made('blue', 'h1', 31, 'other'), security_groups: ['lonely'] },
    far: { ...made('blue', 'h2', 32, 'far'), security_groups: ['extra'] },
    parent: { ...made('green', 'h1', 33, 'parent') },
    sub: { network: 'blue', fixed_ips: [{ ip_address: '10.10.0.34' }] },
    'sub-2': { network: 'red', fixed_ips: [{ ip_address: '10.20.0.35' }] },
  },
  trunks: { t: { port: 'parent', subports: [{ port: 'sub', segmentation_id: 100 }] } },
}

export interface Edit {
  readonly name: string
  readonly change: (repo: Repo) => Repo
  /** Links of a host change with it: what vswitchd loses by itself in tunnels is not ours (docs/decisions/020). */
  readonly links?: true
  /** The answer to an echo that was asked before is of no connection that is known after. */
  readonly echoes?: true
  /** More than once, where what it may cost is a matter of milliseconds. */
  readonly times?: number
}

/** The same with attributes of one resource changed; undefined takes one away. */
const alter =
  (kind: string, name: string, spec: Spec): Edit['change'] =>
  (repo) => {
    const before = repo[kind]?.[name]
    if (before === undefined) throw new Error(`no ${kind} ${name}`)
    return { ...repo, [kind]: { ...repo[kind], [name]: { ...before, ...spec } } }
  }
const add =
  (kind: string, name: string, spec: Spec): Edit['change'] =>
  (repo) => ({ ...repo, [kind]: { ...repo[kind], [name]: spec } })
const remove =
  (kind: string, name: string): Edit['change'] =>
  (repo) => {
    const { [name]: gone, ...left } = repo[kind] ?? {}
    if (gone === undefined) throw new Error(`no ${kind} ${name}`)
    return { ...repo, [kind]: left }
  }
const all =
  (...changes: readonly Edit['change'][]): Edit['change'] =>
  (repo) =>
    changes.reduce((r, change) => change(r), repo)
const groups = (...of: readonly (readonly [string, readonly string[]])[]): Edit['change'] =>
  all(...of.map(([name, security_groups]) => alter('ports', name, { security_groups })))

const server = (...rules: readonly Spec[]): Edit['change'] => alter('security_groups', 'server', serving(...rules))

/** With a rule for one more port. */
export const ALSO = (port: number): Edit['change'] =>
  server(...allow({ remote_group: 'client' }), ...allow({ remote_group: 'client-2' }), ...both({ ...udp(port), remote_group: 'client' }))

/** Every state lets the streams of the test through, and lets nothing to `FORBIDDEN`. */
export const EDITS: readonly Edit[] = [
  { name: 'a rule more', change: server(...allow({ remote_group: 'client' }), ...allow({ remote_group: 'client-2' }), tcp(443)) },
  { name: 'the rule’s ports widen around the port in use', change: server(...allow({ remote_group: 'client' }, 7000, 7100)) },
  { name: 'anybody instead of members', change: server(...allow({})) },
  { name: 'a prefix instead of members', change: server(...BY_PREFIX((p) => allow(p))) },
  { name: 'an address group instead of members', change: server(...allow({ remote_address_group: 'callers' })) },
  {
    name: 'other addresses in the address group that rules name',
    change: all(
      server(...allow({ remote_address_group: 'callers' }), ...both({ ...tcp(25), remote_address_group: 'others' })),
      alter('address_groups', 'others', { addresses: ['10.10.0.11/32', '10.98.0.0/16'] }),
    ),
  },
  {
    name: 'a group has rules of its own for everything',
    change: alter('security_groups', 'client', { default_rules: false, rules: both({ direction: 'egress' }) }),
  },
  { name: 'a group of nobody: another `stateful`', change: alter('security_groups', 'spare', { stateful: false }) },
  {
    name: 'descriptions and tags',
    change: all(alter('ports', 'a', { description: 'x' }), alter('security_groups', 'server', { tags: ['x'] })),
  },
  { name: 'another port becomes a member of the group', change: groups(['other', ['client']]) },
  { name: 'the last member of a group that rules name goes', change: groups(['other', ['extra']]) },
  { name: 'the sender has a group more', times: 3, change: groups(['a', ['client', 'extra']], ['va', ['client', 'extra']]) },
  {
    name: 'the receivers have a group more',
    times: 3,
    change: groups(['b', ['server', 'extra']], ['c', ['server', 'extra']], ['vc', ['server', 'extra']]),
  },
  { name: 'the receivers move to another group', times: 3, change: groups(['b', ['server-2']], ['c', ['server-2']], ['vc', ['server-2']]) },
  { name: 'the senders move to another group that rules name too', times: 3, change: groups(['a', ['client-2']], ['va', ['client-2']]) },
  {
    name: 'the senders become stateless',
    echoes: true,
    change: groups(
      ['a', ['stateless-client']],
      ['va', ['stateless-client']],
      ['b', ['stateless-server']],
      ['c', ['stateless-server']],
      ['vc', ['stateless-server']],
    ),
  },
  {
    name: 'the receivers become stateless',
    echoes: true,
    change: groups(['b', ['stateless-server']], ['c', ['stateless-server']], ['vc', ['stateless-server']]),
  },
  {
    name: 'the sender has a limit',
    change: all(alter('ports', 'a', { qos_policy: 'wide' }), alter('ports', 'va', { qos_policy: 'wide' })),
  },
  {
    name: 'the receivers have a limit',
    change: all(
      alter('ports', 'b', { qos_policy: 'wide' }),
      alter('ports', 'c', { qos_policy: 'wide' }),
      alter('ports', 'vc', { qos_policy: 'wide' }),
    ),
  },
  {
    name: 'the network has limits of both kinds and a mark',
    change: all(alter('networks', 'blue', { qos_policy: 'packets' }), alter('networks', 'red', { qos_policy: 'packets' })),
  },
  { name: 'the sender may use a further address', change: alter('ports', 'a', { allowed_address_pairs: [{ ip_address: '10.10.0.111' }] }) },
  {
    name: 'the receivers may use a further MAC',
    change: all(
      ...['b', 'c'].map((p) =>
        alter('ports', p, { allowed_address_pairs: [{ ip_address: '10.10.0.112', mac_address: '00:00:5e:00:01:01' }] }),
      ),
    ),
  },
  {
    name: 'another port without port security',
    change: alter('ports', 'other', { port_security_enabled: false, security_groups: undefined }),
  },
  { name: 'another port is down', change: alter('ports', 'other', { admin_state_up: false }) },
  { name: 'another port has another address', change: alter('ports', 'other', { fixed_ips: [{ ip_address: '10.10.0.41' }] }) },
  { name: 'another network is down', change: alter('networks', 'green', { admin_state_up: false }) },
  { name: 'another network has another number', change: alter('networks', 'green', { segmentation_id: 4301 }) },
  {
    name: 'the networks have another MTU',
    change: all(alter('networks', 'blue', { mtu: 1400 }), alter('networks', 'red', { mtu: 1400 })),
    links: true,
  },
  {
    name: 'attributes of the subnet',
    change: alter('subnets', 'blue-v4', { gateway_ip: '10.10.255.1', enable_dhcp: false, dns_nameservers: ['10.10.0.2'] }),
  },
  {
    name: 'a subport more',
    change: alter('trunks', 't', {
      subports: [
        { port: 'sub', segmentation_id: 100 },
        { port: 'sub-2', segmentation_id: 101 },
      ],
    }),
  },
  { name: 'no subports', change: alter('trunks', 't', { subports: [] }) },
  { name: 'a port more on the sender’s host', change: add('ports', 'more', made('blue', 'h1', 42, 'more')), links: true },
  { name: 'a port less on the receiver’s host', change: remove('ports', 'far'), links: true },
  { name: 'another port moves from the receiver’s host to the sender’s', change: alter('ports', 'far', { host: 'h1' }), links: true },
  { name: 'a third host has a port of the network', change: add('ports', 'more', made('blue', 'h3', 43, 'more')), links: true },
  { name: 'the third host leaves', change: remove('hosts', 'h3') },
  {
    name: 'a further network and subnet, with ports',
    change: all(
      add('networks', 'fourth', { network_type: 'geneve', segmentation_id: 55 }),
      add('subnets', 'fourth-v4', { network: 'fourth', cidr: '10.40.0.0/24' }),
      add('ports', 'fourth-1', { network: 'fourth', host: 'h1', plug: { type: 'internal', interface: 'nl-fourth' } }),
    ),
    links: true,
  },
]
