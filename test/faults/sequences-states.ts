import { SITE } from './repo.ts'

export type Spec = Readonly<Record<string, unknown>>
/** Resources by collection and name, as they are written. */
export type Repo = Readonly<Record<string, Readonly<Record<string, Spec>>>>

/** Collections so that none names one behind it. */
export const ORDER = [
  'hosts',
  'address_groups',
  'qos_policies',
  'networks',
  'subnets',
  'security_groups',
  'ports',
  'trunks',
  'routers',
] as const

/** In one file, so that no state between two is ever seen. With nothing at all a guard would ask whether that is meant; a group of addresses concerns no host. */
export function filesOf(repo: Repo): Readonly<Record<string, string>> {
  return { 'netloom.yaml': SITE, 'net.yaml': textOf(repo), 'kept.yaml': 'address_groups: { kept: {} }\n' }
}

export function textOf(repo: Repo): string {
  return `${JSON.stringify(Object.fromEntries(ORDER.map((kind) => [kind, sorted(repo[kind] ?? {})])), undefined, 1)}\n`
}

function sorted(resources: Readonly<Record<string, Spec>>): Readonly<Record<string, Spec>> {
  return Object.fromEntries(Object.entries(resources).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export const EMPTY: Repo = {}

const H1 = { tunnel_ip: '192.0.2.1', bridge_mappings: { physnet1: 'br-ex' } }
const H2 = { tunnel_ip: '192.0.2.2', bridge_mappings: { physnet1: 'br-ex' } }
const BLUE = { network_type: 'vxlan', segmentation_id: 77 }
const RED = { network_type: 'vlan', physical_network: 'physnet1', segmentation_id: 120 }
const mac = (n: number): string => `fa:16:3e:00:00:${n.toString(16).padStart(2, '0')}`
/** In a namespace that the lab has there. */
const guest = (network: string, host: string, n: number, name: string, more: Spec = {}): Spec => ({
  ...made(network, host, n, name, more),
  plug: { type: n % 2 === 0 ? 'internal' : 'veth', interface: `nl-${name}`, netns: name },
})
const made = (network: string, host: string | undefined, n: number, name: string, more: Spec = {}): Spec => ({
  ...port(network, host, n, more),
  plug: { type: 'internal', interface: `nl-${name}` },
})
const port = (network: string, host: string | undefined, n: number, more: Spec = {}): Spec => ({
  network,
  ...(host === undefined ? {} : { host }),
  mac_address: mac(n),
  fixed_ips: [{ ip_address: `${network === 'blue' ? '10.10' : network === 'red' ? '10.20' : '10.30'}.0.${n}` }],
  ...more,
})
const tcp = (first: number, more: Spec = {}): Spec => ({
  direction: 'ingress',
  protocol: 'tcp',
  port_range_min: first,
  port_range_max: first + 3,
  ...more,
})
const PING = { direction: 'ingress', protocol: 'icmp' }

const FIRST: Repo = {
  hosts: { h1: H1, h2: H2 },
  networks: { blue: BLUE },
  subnets: { 'blue-v4': { network: 'blue', cidr: '10.10.0.0/16' } },
  ports: { p1: guest('blue', 'h1', 11, 'p1'), p2: guest('blue', 'h2', 12, 'p2') },
}

/** The same, with these resources instead; a collection that is left out stays. */
const on = (repo: Repo, changes: Repo, gone: Readonly<Record<string, readonly string[]>> = {}): Repo => {
  const kinds = new Set([...Object.keys(repo), ...Object.keys(changes)])
  return Object.fromEntries(
    [...kinds].map((kind) => {
      const all = Object.entries({ ...repo[kind], ...changes[kind] })
      return [kind, Object.fromEntries(all.filter(([name]) => gone[kind]?.includes(name) !== true))]
    }),
  )
}

const GROUPS = on(FIRST, {
  security_groups: {
    web: { rules: [tcp(80), { ...PING, remote_group: 'db' }] },
    db: { rules: [tcp(5432, { remote_group: 'web' }), { ...PING, remote_group: 'web' }, tcp(22, { remote_ip_prefix: '10.10.0.0/24' })] },
  },
  ports: {
    p1: guest('blue', 'h1', 11, 'p1', { security_groups: ['web'] }),
    p2: guest('blue', 'h2', 12, 'p2', { security_groups: ['db'] }),
    p3: made('blue', 'h1', 13, 'p3', { security_groups: ['db'] }),
  },
})
const PAIRS = on(GROUPS, {
  address_groups: { office: { addresses: ['10.10.0.11/32', '192.168.0.0/16', 'fd00::/32'] } },
  security_groups: { db: { rules: [tcp(5432, { remote_address_group: 'office' }), { ...PING, remote_address_group: 'office' }] } },
  ports: {
    p1: guest('blue', 'h1', 11, 'p1', {
      security_groups: ['web', 'db'],
      allowed_address_pairs: [{ ip_address: '10.10.0.100', mac_address: '00:00:5e:00:01:01' }],
    }),
    p3: made('blue', 'h1', 13, 'p3', { security_groups: ['db', 'web'], allowed_address_pairs: [{ ip_address: '10.10.128.0/17' }] }),
  },
})
const LIMITS = on(PAIRS, {
  networks: { blue: { ...BLUE, qos_policy: 'marks' }, red: RED },
  subnets: { 'red-v4': { network: 'red', cidr: '10.20.0.0/16' } },
  qos_policies: {
    marks: {
      rules: [
        { type: 'dscp_marking', dscp_mark: 26 },
        { type: 'packet_rate_limit', max_kpps: 10 },
      ],
    },
    slow: {
      rules: [
        { type: 'bandwidth_limit', max_kbps: 5000 },
        { type: 'bandwidth_limit', direction: 'ingress', max_kbps: 6000 },
      ],
    },
  },
  ports: {
    p2: guest('blue', 'h2', 12, 'p2', { security_groups: ['db'], qos_policy: 'slow' }),
    r1: made('red', 'h1', 21, 'r1'),
    r2: made('red', 'h2', 22, 'r2', { qos_policy: 'slow' }),
  },
})
const TRUNK = on(LIMITS, {
  ports: {
    s1: port('blue', undefined, 31),
    t1: made('red', 'h1', 24, 't1'),
    t2: made('red', 'h2', 25, 't2'),
    s2: port('blue', undefined, 32, { security_groups: ['web'] }),
  },
  trunks: {
    one: { port: 't1', subports: [{ port: 's1', segmentation_id: 100 }] },
    two: { port: 't2', subports: [{ port: 's2', segmentation_id: 101 }] },
  },
})
const MOVES = on(
  TRUNK,
  {
    ports: {
      m: port('blue', 'h2', 14, { migrating_to: 'h1', security_groups: ['web'] }),
      p3: made('blue', 'h2', 13, 'p3', { security_groups: ['db'] }),
      t1: made('red', 'h2', 24, 't1'),
    },
  },
  { trunks: ['two'] },
)
const OPEN = on(MOVES, {
  networks: { grey: { network_type: 'geneve', segmentation_id: 9, port_security_enabled: false } },
  subnets: { 'grey-v4': { network: 'grey', cidr: '10.30.0.0/16' } },
  security_groups: { plain: { stateful: false, rules: [{ direction: 'ingress' }] } },
  ports: {
    m: port('blue', 'h1', 14, { security_groups: ['plain'] }),
    p1: guest('blue', 'h1', 11, 'p1', { port_security_enabled: false }),
    p2: guest('blue', 'h2', 12, 'p2', { security_groups: ['plain'] }),
    g1: made('grey', 'h1', 41, 'g1'),
    g2: made('grey', 'h2', 42, 'g2', { port_security_enabled: true }),
  },
})
const ROUTED = on(OPEN, {
  ports: { gate: port('blue', undefined, 2) },
  routers: {
    main: {
      interfaces: [{ subnet: 'blue-v4' }, { subnet: 'red-v4' }],
      routes: [{ destination: '10.30.0.0/16', nexthop: '10.10.0.2' }],
    },
    inner: { interfaces: [{ port: 'gate' }, { subnet: 'grey-v4' }], routes: [{ destination: '0.0.0.0/0', nexthop: '10.10.0.1' }] },
  },
})
const OTHER = on(
  ROUTED,
  {
    networks: { blue: { ...BLUE, segmentation_id: 78 }, red: { ...RED, segmentation_id: 130, admin_state_up: false } },
    qos_policies: { slow: { rules: [{ type: 'bandwidth_limit', max_kbps: 7000 }] } },
    security_groups: { web: { rules: [tcp(443), PING] } },
    ports: { p2: guest('blue', 'h2', 12, 'p2', { security_groups: ['web', 'db'], admin_state_up: false }) },
    routers: { main: { interfaces: [{ subnet: 'blue-v4' }, { subnet: 'grey-v4' }] } },
  },
  { ports: ['p1', 'g1', 's2', 't2', 'gate'], trunks: ['one'], routers: ['inner'] },
)
const ALONE: Repo = {
  hosts: { h1: H1 },
  networks: { red: RED, flat: { network_type: 'flat', physical_network: 'physnet1' } },
  subnets: { 'red-v4': { network: 'red', cidr: '10.20.0.0/16' } },
  security_groups: { db: { rules: [PING] } },
  ports: {
    r1: made('red', 'h1', 21, 'r1', { security_groups: ['db'] }),
    f1: { network: 'flat', host: 'h1', mac_address: mac(51), plug: { type: 'internal', interface: 'nl-f1' } },
  },
}

/** States of a repository in the order in which somebody might come to them. */
export const STATES: Readonly<Record<string, Repo>> = { FIRST, GROUPS, PAIRS, LIMITS, TRUNK, MOVES, OPEN, ROUTED, OTHER, ALONE }
