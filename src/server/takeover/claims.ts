import { ipPool, macPool, segmentPool } from '../../kinds/pools.ts'
import { isAutoAddress } from '../../kinds/subnet/spec.ts'
import { type Cidr, cidrContains, parseCidr } from '../../lib/cidr.ts'
import { formatIp, parseIp } from '../../lib/ip.ts'
import { canonicalMac } from '../../lib/mac.ts'
import { type Key, makeKey } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { HeldPort, HeldSegment, Holds } from '../../wire/messages.ts'
import type { Holding } from '../engine/types.ts'

/** A value that an agent says somebody has. */
export type Claim = Pick<Holding, 'pool' | 'value' | 'owner'>

/** Network → its subnets from whose pool addresses are taken. */
export type SubnetIndex = ReadonlyMap<Key, readonly { readonly key: Key; readonly cidr: Cidr }[]>

/** From what is declared: subnets in which hosts make their own addresses have no pool, and those with a cidr that is none are for the loader to tell. */
export function indexSubnets(declared: Iterable<Declared>): SubnetIndex {
  const index = new Map<Key, { readonly key: Key; readonly cidr: Cidr }[]>()
  for (const { kind, key, project, spec } of declared) {
    const { cidr: text, network: name } = spec
    if (kind !== 'subnet' || typeof text !== 'string' || typeof name !== 'string' || isAutoAddress(spec)) continue
    const cidr = parseCidr(text)?.cidr
    if (cidr === undefined) continue
    const network = networkKey(project, name)
    const known = index.get(network)
    if (known === undefined) index.set(network, [{ key, cidr }])
    else known.push({ key, cidr })
  }
  return index
}

function networkKey(project: string, name: string): Key {
  const slash = name.indexOf('/')
  return slash < 0 ? makeKey('network', project, name) : makeKey('network', name.slice(0, slash), name.slice(slash + 1))
}

/** By owner. Text that is no address, and addresses that lie in no subnet, are nobody's value here. */
export function claimsOf(holds: Holds, subnets: SubnetIndex): ReadonlyMap<Key, readonly Claim[]> {
  const claims = new Map<Key, readonly Claim[]>()
  for (const port of holds.ports) claims.set(port.port, portClaims(port, subnets))
  for (const segment of holds.segments) claims.set(segment.network, segmentClaims(segment))
  return claims
}

function portClaims({ port, network, mac: text, ips }: HeldPort, subnets: SubnetIndex): readonly Claim[] {
  const mac = canonicalMac(text)
  const claims: Claim[] = mac === undefined ? [] : [{ pool: macPool(network), value: mac, owner: port }]
  for (const address of ips) {
    const ip = parseIp(address)
    const subnet = ip === undefined ? undefined : subnets.get(network)?.find((s) => cidrContains(s.cidr, ip))
    if (ip !== undefined && subnet !== undefined)
      claims.push({ pool: ipPool(subnet.key), value: formatIp(ip.family, ip.value), owner: port })
  }
  return claims
}

/** A flat network's value is its physical network; a local one has none. */
function segmentClaims({ network, network_type: type, physical_network: physical, segmentation_id: id }: HeldSegment): readonly Claim[] {
  if (type === 'flat') return physical === undefined ? [] : [{ pool: segmentPool(type), value: physical, owner: network }]
  return id === undefined ? [] : [{ pool: segmentPool(type, physical), value: String(id), owner: network }]
}
