import { ipPool, macPool, segmentPool } from '../../kinds/pools.ts'
import { formatIp, parseIp } from '../../lib/ip.ts'
import { canonicalMac } from '../../lib/mac.ts'
import type { Key } from '../../model/key.ts'
import type { HeldPort, HeldSegment, Holds } from '../../wire/messages.ts'
import type { Holding } from '../engine/types.ts'
import { blockClaim, type SubnetIndex, subnetOf } from './subnets.ts'

/** A value that an agent says somebody has. */
export type Claim = Pick<Holding, 'pool' | 'value' | 'owner'>

/** By owner. Text that is no address, and addresses that lie in no subnet, are nobody's value here. */
export function claimsOf(holds: Holds, subnets: SubnetIndex): ReadonlyMap<Key, readonly Claim[]> {
  const claims = new Map<Key, readonly Claim[]>()
  for (const port of holds.ports) claims.set(port.port, portClaims(port, subnets))
  for (const segment of holds.segments) claims.set(segment.network, segmentClaims(segment))
  for (const [subnet, blocks] of blockClaims(holds.ports, subnets)) claims.set(subnet, blocks)
  return claims
}

function portClaims({ port, network, mac: text, ips }: HeldPort, subnets: SubnetIndex): readonly Claim[] {
  const mac = canonicalMac(text)
  const claims: Claim[] = mac === undefined ? [] : [{ pool: macPool(network), value: mac, owner: port }]
  for (const address of ips) {
    const ip = parseIp(address)
    const subnet = ip === undefined ? undefined : subnetOf(subnets.get(network) ?? [], ip)
    if (ip !== undefined && subnet?.auto === false)
      claims.push({ pool: ipPool(subnet.key), value: formatIp(ip.family, ip.value), owner: port })
  }
  return claims
}

/** The blocks that pools chose, as the addresses of ports tell them. Of a subnet whose ports tell several, none is known. */
function blockClaims(ports: readonly HeldPort[], subnets: SubnetIndex): ReadonlyMap<Key, readonly Claim[]> {
  const told = new Map<Key, Claim>()
  const several = new Set<Key>()
  for (const { network, ips } of ports) {
    for (const address of ips) {
      const ip = parseIp(address)
      const subnet = ip === undefined ? undefined : subnetOf(subnets.get(network) ?? [], ip)
      const claim = ip === undefined || subnet === undefined ? undefined : blockClaim(subnet, ip)
      if (claim === undefined) continue
      const before = told.get(claim.owner)
      if (before !== undefined && before.value !== claim.value) several.add(claim.owner)
      told.set(claim.owner, claim)
    }
  }
  return new Map([...told].filter(([owner]) => !several.has(owner)).map(([owner, claim]) => [owner, [claim]]))
}

/** A flat network's value is its physical network; a local one has none. */
function segmentClaims({ network, network_type: type, physical_network: physical, segmentation_id: id }: HeldSegment): readonly Claim[] {
  if (type === 'flat') return physical === undefined ? [] : [{ pool: segmentPool(type), value: physical, owner: network }]
  return id === undefined ? [] : [{ pool: segmentPool(type, physical), value: String(id), owner: network }]
}
