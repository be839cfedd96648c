import fc from 'fast-check'
import type { JsonObject } from '../../../src/model/brand.ts'
import { declaredOf, type Edit } from './arbitrary.ts'

/** Networks that are always there, and subnets that fight for the blocks of pools so narrow that they run full. */
const NETWORKS = ['n1', 'n2', 'n3', 'n4', 'n5']
const SUBNETS = ['s1', 's2', 's3', 's4', 's5', 's6']

const sparse = (members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<JsonObject> =>
  fc.record(members).map((r) => Object.fromEntries(Object.entries(r).filter(([, v]) => v !== undefined)) as JsonObject)
/** Mostly the first. */
const mostly = <T>(usual: T, ...rare: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, { weight: 2, arbitrary: fc.constantFrom(...rare) })

const network = fc.constantFrom(...NETWORKS)
const gateway_ip = mostly(undefined, null, '10.0.0.9', '10.0.0.2')
const byName = sparse({
  network,
  subnetpool: fc.constantFrom('b1', 'b1', 'b1', 'b2', 'b3', 'other/b1'),
  prefixlen: fc.constantFrom(undefined, undefined, 28, 29, 30),
  ip_version: mostly(undefined, 4, 6),
  gateway_ip,
  enable_dhcp: mostly(undefined, false),
})
const byDefault = sparse({
  network,
  use_default_subnetpool: fc.constant(true),
  ip_version: mostly(4, 6),
  prefixlen: fc.constantFrom(undefined, 29, 30),
})
const certain = sparse({
  network,
  subnetpool: mostly('b1', 'b2', undefined),
  cidr: fc.constantFrom('10.0.0.0/29', '10.0.0.8/30', '10.0.0.8/29', '10.0.0.16/28', '10.0.0.0/28', 'fd00::/64'),
})
const subnet = fc.oneof({ weight: 6, arbitrary: byName }, { weight: 2, arbitrary: byDefault }, { weight: 3, arbitrary: certain })

const subnetpool = sparse({
  prefixes: mostly(['10.0.0.0/27'], ['10.0.0.0/28'], ['10.0.0.0/29', '10.0.0.16/28'], ['10.0.0.16/28'], ['fd00::/63']),
  default_prefixlen: mostly(29, 30, 64),
  max_prefixlen: mostly(undefined, 29),
  default_quota: mostly(undefined, 12, 24),
  address_scope: mostly(undefined, 'z1'),
  is_default: mostly(undefined, true),
  shared: mostly(undefined, true),
})
const port = sparse({ network, mac_address: mostly(undefined, 'fa:16:3e:00:00:01') })

const edit = (kind: string, names: readonly string[], spec: fc.Arbitrary<JsonObject>, projects: readonly string[]): fc.Arbitrary<Edit> =>
  fc.record({
    kind: fc.constant(kind),
    project: fc.constantFrom(...projects),
    name: fc.constantFrom(...names),
    spec: fc.option(spec, { nil: undefined, freq: 4 }),
  })

export const anyBlockEdit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 1, arbitrary: edit('address_scope', ['z1'], sparse({ ip_version: mostly(4, 6) }), ['default']) },
  { weight: 3, arbitrary: edit('subnetpool', ['b1', 'b2', 'b3'], subnetpool, ['default', 'default', 'other']) },
  { weight: 12, arbitrary: edit('subnet', SUBNETS, subnet, ['default', 'default', 'default']) },
  { weight: 2, arbitrary: edit('port', ['p1', 'p2'], port, ['default']) },
)

const always = (kind: string, name: string, spec: JsonObject): Edit => ({ kind, project: 'default', name, spec })

/** What every sequence begins with. */
export const START: readonly Edit[] = [
  ...NETWORKS.map((name) => always('network', name, {})),
  always('address_scope', 'z1', { ip_version: 4 }),
  always('subnetpool', 'b1', { prefixes: ['10.0.0.0/27'], default_prefixlen: 29 }),
  always('subnetpool', 'b2', { prefixes: ['10.0.0.0/27'], default_prefixlen: 29, is_default: true }),
]

/** Wide pools of one scope, and only lengths that fit: who gets what then depends on nothing but the subnet itself. */
export function calmOf(edits: readonly Edit[]): readonly Edit[] {
  const pool = (name: string, prefixes: readonly string[], more: JsonObject = {}): Edit =>
    always('subnetpool', name, { prefixes, default_prefixlen: 29, address_scope: 'z1', ...more })
  const pools = [pool('b1', ['10.0.0.0/10']), pool('b2', ['10.64.0.0/10'], { is_default: true }), pool('b3', ['10.128.0.0/10'])]
  const subnets = edits.flatMap((e) => {
    if (e.kind !== 'subnet') return []
    if (e.spec === undefined) return [e]
    const { network: name, prefixlen, subnetpool: from } = e.spec
    const length = prefixlen === undefined ? {} : { prefixlen }
    const source = typeof from === 'string' && !from.includes('/') ? { subnetpool: from } : { use_default_subnetpool: true, ip_version: 4 }
    return [{ ...e, spec: { network: name ?? 'n1', ...source, ...length } }]
  })
  return [...START, ...pools, ...subnets].filter((e) => e.spec === undefined || declaredOf(e))
}
