import type { NetworkDeclared } from '../../../schemas/network.ts'
import { mergeRanges, subtractRanges } from '../../lib/ranges.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import { nameHolders, takenFinding } from '../findings.ts'
import type { Claim, Pools, Site, View } from '../kind.ts'
import { rangeKeys } from '../network_segment_range/check.ts'
import type { NetworkSegmentRangeSpec } from '../network_segment_range/spec.ts'
import { numberRange, segmentPool } from '../pools.ts'
import type { TypeDriver, TypeDrivers } from './type-driver.ts'

export interface Segment {
  readonly network_type: string
  readonly physical_network?: string
  readonly segmentation_id?: number
}

export type SegmentResult = { readonly ok: true; readonly segment: Segment } | { readonly ok: false; readonly finding: Finding }

type Range = { readonly from: number; readonly to: number }

/** One place to look for a free number: a pool, and what the segment is when it is found there. */
interface Candidate {
  readonly driver: TypeDriver
  readonly pool: string
  /** Absent: the type has no numbers. */
  readonly ranges?: readonly Range[]
  readonly physical_network?: string
}

/** The segment of a network: what is written is claimed, the rest is chosen from ranges and kept (Neutron: B3.6). */
export function resolveSegment(resource: Declared, types: TypeDrivers, view: View, pools: Pools): SegmentResult {
  const network = resource.spec as NetworkDeclared
  const { network_type: type, physical_network: physnet, segmentation_id: id } = network
  const driver = types.get(type ?? '')
  if (driver?.physical_network === 'required' && driver.numbers === undefined && physnet !== undefined)
    return claimPhysicalNetwork(driver, physnet, pools)
  if (driver !== undefined && id !== undefined) return claimNumber(driver, physnet, id, pools)
  const site = view.site()
  const names = type === undefined ? triedTypes(network, site) : [type]
  const drivers = names.flatMap((name) => types.get(name) ?? [])
  const ranges = rangesFor(resource.project, view)
  return chooseSegment(
    drivers.map((d) => d.type),
    physnet,
    drivers.flatMap((d) => candidatesOf(d, physnet, site, ranges)),
    pools,
  )
}

function triedTypes(network: NetworkDeclared, site: Site): readonly string[] {
  return network.external === true && site.external_network_types.length > 0 ? site.external_network_types : site.project_network_types
}

function claimPhysicalNetwork({ type, carriage }: TypeDriver, physnet: string, pools: Pools): SegmentResult {
  const claim = pools.claim(segmentPool(carriage), physnet)
  if (claim.ok || claim.reason !== 'taken') return { ok: true, segment: { network_type: type, physical_network: physnet } }
  const at = ['physical_network']
  const message = `physical_network ${physnet} already carries a ${type} network`
  return {
    ok: false,
    finding: takenFinding(claim, {
      code: 'E0206',
      message,
      at,
      holderAt: at,
      hint: `one ${type} network per physical network: use network_type: vlan`,
    }),
  }
}

function claimNumber({ type, carriage }: TypeDriver, physnet: string | undefined, id: number, pools: Pools): SegmentResult {
  const physical = physnet === undefined ? {} : { physical_network: physnet }
  const claim = pools.claim(segmentPool(carriage, physnet), String(id))
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

/** The pool in which the network already has its number comes first; then types, and of each its ranges, in order. */
function chooseSegment(
  types: readonly string[],
  physnet: string | undefined,
  candidates: readonly Candidate[],
  pools: Pools,
): SegmentResult {
  const tried: string[] = []
  const pinned = candidates.filter((c) => pools.pinned(c.pool))
  for (const { driver, pool, ranges, physical_network } of [...pinned, ...candidates]) {
    const physical = physical_network === undefined ? {} : { physical_network }
    if (ranges === undefined) return { ok: true, segment: { network_type: driver.type, ...physical } }
    const claim = allocate(driver, pool, ranges, pools)
    if (claim.ok) return { ok: true, segment: { network_type: driver.type, ...physical, segmentation_id: Number(claim.value) } }
    if (claim.reason === 'full') {
      const name = pool.replace('segment:', '')
      const used = `${name} has ${claim.size}, used by ${nameHolders(claim.holders) || 'nobody'}`
      tried.push(claim.size === 0n ? `all of ${name} is set aside for other projects` : used)
    }
  }
  return { ok: false, finding: noSegment(types, physnet, tried) }
}

/** A number chosen earlier may stay anywhere in the type's own bounds: a range that shrinks renumbers nobody. */
function allocate(driver: TypeDriver, pool: string, ranges: readonly Range[], pools: Pools): Claim {
  const { first, last } = driver.numbers ?? { first: 1, last: 1 }
  return pools.allocate(
    pool,
    ranges.map((r) => numberRange(r.from, r.to)),
    { keep: () => [numberRange(first, last)] },
  )
}

/**
 * Where a number is looked for: the project's own ranges, shared ones, and the site's without what is set aside for other projects. Types that are
 * carried alike share their numbers.
 */
function candidatesOf(driver: TypeDriver, physnet: string | undefined, site: Site, ranges: ProjectRanges): readonly Candidate[] {
  const declared = [...ranges.own, ...ranges.shared]
    .filter((r) => r.network_type === driver.type && (physnet === undefined || r.physical_network === physnet))
    .map(({ physical_network, minimum, maximum }) => ({
      ...(physical_network === undefined ? {} : { physical_network }),
      ranges: [{ from: minimum, to: maximum }],
    }))
  const ofSite = driver.candidates(site, physnet).map(({ ranges: all, ...rest }) => {
    if (all === undefined) return rest
    const others = ranges.others.filter((r) => r.network_type === driver.type && r.physical_network === rest.physical_network)
    return { ...rest, ranges: without(all, others) }
  })
  return [...declared, ...ofSite].map((c) => ({ ...c, driver, pool: segmentPool(driver.carriage, c.physical_network) }))
}

function without(ranges: readonly Range[], others: readonly NetworkSegmentRangeSpec[]): readonly Range[] {
  if (others.length === 0) return ranges
  const big = (from: number, to: number) => ({ from: BigInt(from), to: BigInt(to) })
  return subtractRanges(mergeRanges(ranges.map((r) => big(r.from, r.to))), mergeRanges(others.map((r) => big(r.minimum, r.maximum)))).map(
    (r) => ({ from: Number(r.from), to: Number(r.to) }),
  )
}

/** The ranges that are declared, as one project sees them. */
interface ProjectRanges {
  readonly own: readonly NetworkSegmentRangeSpec[]
  readonly shared: readonly NetworkSegmentRangeSpec[]
  /** Set aside for other projects. */
  readonly others: readonly NetworkSegmentRangeSpec[]
}

function rangesFor(project: string, view: View): ProjectRanges {
  const all = rangeKeys(view).flatMap((key) => view.get<NetworkSegmentRangeSpec>(key)?.spec ?? [])
  return {
    own: all.filter((r) => r.project === project),
    shared: all.filter((r) => r.shared),
    others: all.filter((r) => !r.shared && r.project !== project),
  }
}

function noSegment(types: readonly string[], physnet: string | undefined, tried: readonly string[]): Finding {
  if (tried.length === 0) {
    const where = physnet === undefined ? '' : ` of ${physnet}`
    const hint = types.includes('vlan')
      ? `write a segmentation_id${physnet === undefined ? ' and physical_network' : ''}, a network_segment_range, or network_vlan_ranges in netloom.yaml`
      : 'write a segmentation_id, a network_segment_range, or ranges in netloom.yaml'
    return { code: 'E0403', message: `no number can be chosen: the site has no range for ${types.join(', ')}${where}`, hint }
  }
  const message = `no free number for the network: ${tried.join('; ')}`
  return { code: 'E0403', message, hint: 'widen the ranges, or write a segmentation_id outside of them' }
}
