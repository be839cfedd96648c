import { blockPool } from '../../kinds/pools.ts'
import { isAutoAddress } from '../../kinds/subnet/spec.ts'
import { poolFamily, prefixLengths } from '../../kinds/subnetpool/spec.ts'
import { type Cidr, cidrContains, cidrOf, formatCidr, parseCidr } from '../../lib/cidr.ts'
import type { Ip, IpFamily } from '../../lib/ip.ts'
import { type Key, namedKey } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { Holding } from '../engine/types.ts'

/** What the declaration of a subnet says about the addresses of its ports. */
interface DeclaredSubnet {
  readonly key: Key
  /** Hosts make their own addresses here: they are in no pool. */
  readonly auto: boolean
  readonly cidr?: Cidr
  /** Without a cidr: what a pool chose once, and which block an address of it tells. */
  readonly chosen?: { readonly pool: Key; readonly family: IpFamily; readonly length: number }
}

/** Network → its subnets. */
export type SubnetIndex = ReadonlyMap<Key, readonly DeclaredSubnet[]>

/** From what is declared; a cidr that is none is for the loader to tell. */
export function indexSubnets(declared: Iterable<Declared>): SubnetIndex {
  const all = [...declared]
  const pools = new Map(all.filter((d) => d.kind === 'subnetpool').map((d) => [d.key, d]))
  const index = new Map<Key, DeclaredSubnet[]>()
  for (const subnet of all) {
    const { kind, project, spec } = subnet
    const { network: name } = spec
    if (kind !== 'subnet' || typeof name !== 'string') continue
    const found = describe(subnet, pools)
    if (found === undefined) continue
    const network = namedKey('network', project, name)
    const known = index.get(network)
    if (known === undefined) index.set(network, [found])
    else known.push(found)
  }
  return index
}

function describe({ key, project, spec }: Declared, pools: ReadonlyMap<Key, Declared>): DeclaredSubnet | undefined {
  const { cidr: text, subnetpool: name, ip_version: version, prefixlen } = spec
  const auto = isAutoAddress(spec)
  if (typeof text === 'string') {
    const cidr = parseCidr(text)?.cidr
    return cidr === undefined ? undefined : { key, auto, cidr }
  }
  const pool = typeof name === 'string' ? pools.get(namedKey('subnetpool', project, name)) : defaultPool(version === 6 ? 6 : 4, pools)
  if (pool === undefined) return undefined
  const family = poolFamily(pool.spec as PoolSpec)
  const length = typeof prefixlen === 'number' ? prefixlen : prefixLengths(pool.spec, family).default_prefixlen
  return { key, auto, chosen: { pool: pool.key, family, length } }
}

type PoolSpec = Parameters<typeof poolFamily>[0]

function defaultPool(family: IpFamily, pools: ReadonlyMap<Key, Declared>): Declared | undefined {
  return [...pools.values()].find((p) => p.spec['is_default'] === true && poolFamily(p.spec as PoolSpec) === family)
}

/** The subnet an address is of: the one that has it, or the only one of its family whose block nobody wrote. */
export function subnetOf(subnets: readonly DeclaredSubnet[], ip: Ip): DeclaredSubnet | undefined {
  const written = subnets.find((s) => s.cidr !== undefined && cidrContains(s.cidr, ip))
  if (written !== undefined) return written
  const chosen = subnets.filter((s) => s.chosen?.family === ip.family)
  return chosen.length === 1 ? chosen[0] : undefined
}

/** The block that an address tells of a subnet whose block a pool chose. */
export function blockClaim({ key, chosen }: DeclaredSubnet, ip: Ip): Pick<Holding, 'pool' | 'value' | 'owner'> | undefined {
  if (chosen === undefined) return undefined
  return { pool: blockPool(chosen.pool), value: formatCidr(cidrOf(ip, chosen.length)), owner: key }
}
