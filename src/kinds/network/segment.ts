import type { NetworkDeclared } from '../../../schemas/network.ts'
import type { NetworkType } from '../../model/intent.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import { nameHolders, takenFinding } from '../findings.ts'
import type { Claim, Pools, Site } from '../kind.ts'
import { numberRange, segmentPool } from '../pools.ts'
import { LAST_SEGMENT } from './spec.ts'

export interface Segment {
  readonly network_type: NetworkType
  readonly physical_network?: string
  readonly segmentation_id?: number
}

export type SegmentResult = { readonly ok: true; readonly segment: Segment } | { readonly ok: false; readonly finding: Finding }

type Range = { readonly from: number; readonly to: number }

/** One place to look for a free number: a pool, and what the segment is when it is found there. */
interface Candidate {
  readonly pool: string
  readonly ranges: readonly Range[]
  readonly type: NetworkType
  readonly physical_network?: string
}

/** The segment of a network: what is written is claimed, the rest is chosen from the site's ranges and kept (Neutron: B3.6). */
export function resolveSegment(resource: Declared, site: Site, pools: Pools): SegmentResult {
  const network = resource.spec as NetworkDeclared
  const { network_type: type, physical_network: physnet, segmentation_id: id } = network
  if (type === 'local') return { ok: true, segment: { network_type: 'local' } }
  if (type === 'flat' && physnet !== undefined) return claimFlat(physnet, pools)
  if (type !== undefined && id !== undefined) return claimNumber(type, physnet, id, pools)
  const types = type === undefined ? triedTypes(network, site) : [type]
  return chooseSegment(types, physnet, site, pools)
}

function triedTypes(network: NetworkDeclared, site: Site): readonly string[] {
  return network.external === true && site.external_network_types.length > 0 ? site.external_network_types : site.project_network_types
}

function claimFlat(physnet: string, pools: Pools): SegmentResult {
  const claim = pools.claim(segmentPool('flat'), physnet)
  if (claim.ok || claim.reason !== 'taken') return { ok: true, segment: { network_type: 'flat', physical_network: physnet } }
  const at = ['physical_network']
  const message = `physical_network ${physnet} already carries a flat network`
  return {
    ok: false,
    finding: takenFinding(claim, {
      code: 'E0206',
      message,
      at,
      holderAt: at,
      hint: 'one flat network per physical network: use network_type: vlan',
    }),
  }
}

function claimNumber(type: NetworkType, physnet: string | undefined, id: number, pools: Pools): SegmentResult {
  const physical = physnet === undefined ? {} : { physical_network: physnet }
  const claim = pools.claim(segmentPool(type, physnet), String(id))
  if (claim.ok || claim.reason !== 'taken') return { ok: true, segment: { network_type: type, ...physical, segmentation_id: id } }
  const at = ['segmentation_id']
  const message = `segmentation_id ${id} of ${type}${physnet === undefined ? '' : ` on ${physnet}`} is in use`
  return {
    ok: false,
    finding: takenFinding(claim, {
      code: 'E0206',
      message,
      at,
      holderAt: at,
      hint: 'write another number, or leave it out to get a free one',
    }),
  }
}

/** The pool in which the network already has its number comes first; then types and physical networks in the order the site names them. */
function chooseSegment(types: readonly string[], physnet: string | undefined, site: Site, pools: Pools): SegmentResult {
  const tried: string[] = []
  const candidates = types.flatMap((type) => candidatesOf(type, physnet, site))
  const pinned = candidates.filter((c) => pools.pinned(c.pool))
  for (const candidate of [...pinned, ...candidates]) {
    if (candidate.type === 'local') return { ok: true, segment: { network_type: 'local' } }
    const claim = allocate(candidate, pools)
    const physical = candidate.physical_network === undefined ? {} : { physical_network: candidate.physical_network }
    if (claim.ok) return { ok: true, segment: { network_type: candidate.type, ...physical, segmentation_id: Number(claim.value) } }
    if (claim.reason === 'full')
      tried.push(`${candidate.pool.replace('segment:', '')} has ${claim.size}, used by ${nameHolders(claim.holders) || 'nobody'}`)
  }
  return { ok: false, finding: noSegment(types, physnet, tried) }
}

function allocate(candidate: Candidate, pools: Pools): Claim {
  const ranges = candidate.ranges.map((r) => numberRange(r.from, r.to))
  return pools.allocate(candidate.pool, ranges, { keep: () => [numberRange(1, LAST_SEGMENT[candidate.type] ?? 1)] })
}

function candidatesOf(type: string, physnet: string | undefined, site: Site): Candidate[] {
  if (type === 'local') return [{ pool: '', ranges: [], type }]
  if (type === 'vxlan') return [{ pool: segmentPool(type), ranges: site.vni_ranges, type }]
  if (type === 'geneve') return [{ pool: segmentPool(type), ranges: site.geneve_ranges, type }]
  if (type === 'gre') return [{ pool: segmentPool(type), ranges: site.tunnel_id_ranges, type }]
  if (type !== 'vlan') return []
  const names = [...new Set(site.network_vlan_ranges.map((r) => r.physical_network))]
  return names
    .filter((name) => physnet === undefined || name === physnet)
    .map((name) => ({
      pool: segmentPool(type, name),
      ranges: site.network_vlan_ranges.filter((r) => r.physical_network === name),
      type,
      physical_network: name,
    }))
}

function noSegment(types: readonly string[], physnet: string | undefined, tried: readonly string[]): Finding {
  if (tried.length === 0) {
    const where = physnet === undefined ? '' : ` of ${physnet}`
    const hint = types.includes('vlan')
      ? `write a segmentation_id${physnet === undefined ? ' and physical_network' : ''}, or network_vlan_ranges in netloom.yaml`
      : 'write a segmentation_id, or ranges in netloom.yaml'
    return { code: 'E0403', message: `no number can be chosen: the site has no range for ${types.join(', ')}${where}`, hint }
  }
  const message = `no free number for the network: ${tried.join('; ')}`
  return { code: 'E0403', message, hint: 'widen the ranges in netloom.yaml, or write a segmentation_id outside of them' }
}
