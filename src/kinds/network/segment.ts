import type { NetworkDeclared } from '../../../schemas/network.ts'
import { mergeRanges, subtractRanges } from '../../lib/ranges.ts'
import type { NetworkType, TunnelType } from '../../model/intent.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import { nameHolders, takenFinding } from '../findings.ts'
import type { Claim, Pools, Site, View } from '../kind.ts'
import { rangeKeys } from '../network_segment_range/check.ts'
import type { NetworkSegmentRangeSpec } from '../network_segment_range/spec.ts'
import { numberRange, segmentPool } from '../pools.ts'
import type { Segment } from './spec.ts'
import type { TypeDriver, TypeDrivers } from './type-driver.ts'

/** `pool`: where the number was chosen; absent, none was. */
export type SegmentResult =
  | { readonly ok: true; readonly segment: Segment; readonly pool?: string }
  | { readonly ok: false; readonly finding: Finding }

/** A segment as it is written: the network itself, or an entry of `segments`. */
export interface SegmentWish {
  readonly written: Pick<NetworkDeclared, 'network_type' | 'physical_network' | 'segmentation_id'> & { readonly name?: string }
  /** Where its attributes stand. */
  readonly at: ValuePath
}

/** The segments that are written; a network that says nothing is one all the same. */
export function segmentWishes(network: NetworkDeclared): readonly SegmentWish[] {
  return network.segments?.map((written, i) => ({ written, at: ['segments', i] })) ?? [{ written: network, at: [] }]
}

type Range = { readonly from: number; readonly to: number }

/** One place to look for a free number: a pool, and what the segment is when it is found there. */
interface Candidate {
  readonly driver: TypeDriver
  readonly pool: string
  /** Absent: the type has no numbers. */
  readonly ranges?: readonly Range[]
  readonly physical_network?: string
}

/** True when `claimSegment` would ask for exactly what is written. */
export function isClaimed({ written }: SegmentWish, types: TypeDrivers): boolean {
  const { network_type: type, physical_network: physnet, segmentation_id: id } = written
  const driver = types.get(type ?? '')
  if (driver === undefined) return false
  return id !== undefined || (isWholePhysical(driver) && physnet !== undefined)
}

/** flat: the physical network is the value. */
function isWholePhysical(driver: TypeDriver): boolean {
  return driver.physical_network === 'required' && driver.numbers === undefined
}

/**
 * The segments of a network, in order: what is written is claimed first, the rest is chosen from ranges and kept (Neutron: B3.6). A number that was
 * chosen stays with the network; where several are of one pool, the lowest goes to the first segment.
 */
export function resolveSegments(resource: Declared, types: TypeDrivers, view: View, pools: Pools): readonly SegmentResult[] {
  const wishes = segmentWishes(resource.spec as NetworkDeclared)
  const claimed = wishes.map((wish) => (isClaimed(wish, types) ? claimSegment(wish, types, pools) : undefined))
  const counts = new Map<string, number>()
  const results = wishes.map((wish, i) => claimed[i] ?? chooseFor(resource, wish, types, { view, pools, counts }))
  return inOrder(results).map((result, i) => named(wishes[i], result))
}

/** A pool knows that the network has two numbers, not which is whose. */
function inOrder(results: readonly SegmentResult[]): readonly SegmentResult[] {
  const numbers = new Map<string, number[]>()
  for (const result of results) {
    if (!result.ok || result.pool === undefined || result.segment.segmentation_id === undefined) continue
    const list = numbers.get(result.pool) ?? []
    numbers.set(
      result.pool,
      [...list, result.segment.segmentation_id].sort((a, b) => a - b),
    )
  }
  return results.map((result) => {
    const next = result.ok && result.pool !== undefined ? numbers.get(result.pool)?.shift() : undefined
    return result.ok && next !== undefined ? { ...result, segment: { ...result.segment, segmentation_id: next } } : result
  })
}

function named(wish: SegmentWish | undefined, result: SegmentResult): SegmentResult {
  const name = wish?.written.name
  return result.ok && name !== undefined ? { ok: true, segment: { name, ...result.segment } } : result
}

function claimSegment({ written, at }: SegmentWish, types: TypeDrivers, pools: Pools): SegmentResult {
  const { network_type: type = '', physical_network: physnet, segmentation_id: id } = written
  const driver = types.get(type)
  if (driver === undefined) throw new Error(`a network got past its checks with network_type ${type}`)
  if (isWholePhysical(driver) && physnet !== undefined) return claimPhysicalNetwork(driver, physnet, at, pools)
  return claimNumber(driver, { physnet, id: id ?? 0, at }, pools)
}

/** A key in tunnels that no network has, for what travels beside networks. */
export type TunnelResult =
  | { readonly ok: true; readonly type: TunnelType; readonly key: number }
  | { readonly ok: false; readonly finding: Finding }

/** Of the first type that networks of projects get (where they get none, of any) that is carried in tunnels and has ranges. Undefined: the site has no tunnels. */
export function chooseTunnel(resource: Declared, types: TypeDrivers, view: View, pools: Pools): TunnelResult | undefined {
  const site = view.site()
  const ranges = rangesFor(resource.project, view)
  const tunnels = (from: Iterable<string>): string[] => [...from].filter((name) => isTunnel(types.get(name)?.carriage))
  const ofProjects = tunnels(site.project_network_types)
  const names = ofProjects.length > 0 ? ofProjects : tunnels(types.keys())
  const drivers = names.flatMap((name) => types.get(name) ?? [])
  const candidates = drivers.flatMap((d) => candidatesOf(d, undefined, site, ranges)).filter((c) => (c.ranges?.length ?? 0) > 0)
  if (candidates.length === 0) return undefined
  const chosen = chooseSegment(names, undefined, candidates, { view, pools, counts: new Map(), whom: resource.kind })
  if (!chosen.ok) return chosen
  const { network_type, segmentation_id } = chosen.segment
  const type = types.get(network_type)?.carriage
  return isTunnel(type) && segmentation_id !== undefined ? { ok: true, type, key: segmentation_id } : undefined
}

function isTunnel(carriage: NetworkType | undefined): carriage is TunnelType {
  return carriage === 'vxlan' || carriage === 'geneve' || carriage === 'gre'
}

interface Choosing {
  /** For whom a number is chosen; absent: a network. */
  readonly whom?: string
  readonly view: View
  readonly pools: Pools
  /** How many numbers of a pool this network was given already. */
  readonly counts: Map<string, number>
}

function chooseFor(resource: Declared, { written, at }: SegmentWish, types: TypeDrivers, choosing: Choosing): SegmentResult {
  const { network_type: type, physical_network: physnet } = written
  const site = choosing.view.site()
  const names = type === undefined ? triedTypes(resource.spec as NetworkDeclared, site) : [type]
  const drivers = names.flatMap((name) => types.get(name) ?? [])
  const ranges = rangesFor(resource.project, choosing.view)
  const result = chooseSegment(
    drivers.map((d) => d.type),
    physnet,
    drivers.flatMap((d) => candidatesOf(d, physnet, site, ranges)),
    choosing,
  )
  return result.ok || at.length === 0 ? result : { ok: false, finding: { ...result.finding, at } }
}

function triedTypes(network: NetworkDeclared, site: Site): readonly string[] {
  return network.external === true && site.external_network_types.length > 0 ? site.external_network_types : site.project_network_types
}

function claimPhysicalNetwork({ type, carriage }: TypeDriver, physnet: string, within: ValuePath, pools: Pools): SegmentResult {
  const claim = pools.claim(segmentPool(carriage), physnet)
  if (claim.ok || claim.reason !== 'taken') return { ok: true, segment: { network_type: type, physical_network: physnet } }
  const at = [...within, 'physical_network']
  const message = `physical_network ${physnet} already carries a ${type} network`
  return {
    ok: false,
    finding: takenFinding(claim, {
      code: 'E0206',
      message,
      at,
      holderAt: ['physical_network'],
      hint: `one ${type} network per physical network: use network_type: vlan`,
    }),
  }
}

function claimNumber(
  { type, carriage }: TypeDriver,
  { physnet, id, at: within }: { readonly physnet: string | undefined; readonly id: number; readonly at: ValuePath },
  pools: Pools,
): SegmentResult {
  const physical = physnet === undefined ? {} : { physical_network: physnet }
  const claim = pools.claim(segmentPool(carriage, physnet), String(id))
  if (claim.ok || claim.reason !== 'taken') return { ok: true, segment: { network_type: type, ...physical, segmentation_id: id } }
  const at = [...within, 'segmentation_id']
  const message = `segmentation_id ${id} of ${type}${physnet === undefined ? '' : ` on ${physnet}`} is in use`
  return {
    ok: false,
    finding: takenFinding(claim, {
      code: 'E0206',
      message,
      at,
      holderAt: ['segmentation_id'],
      hint: 'write another number, or leave it out to get a free one',
    }),
  }
}

/** The pool in which the network already has its number comes first; then types, and of each its ranges, in order. */
function chooseSegment(
  types: readonly string[],
  physnet: string | undefined,
  candidates: readonly Candidate[],
  { pools, counts, whom = 'network' }: Choosing,
): SegmentResult {
  const tried: string[] = []
  const pinned = candidates.filter((c) => pools.pinned(c.pool))
  for (const { driver, pool, ranges, physical_network } of [...pinned, ...candidates]) {
    const physical = physical_network === undefined ? {} : { physical_network }
    if (ranges === undefined) return { ok: true, segment: { network_type: driver.type, ...physical } }
    const claim = allocate(driver, { pool, ranges }, pools, counts)
    if (claim.ok) return { ok: true, segment: { network_type: driver.type, ...physical, segmentation_id: Number(claim.value) }, pool }
    if (claim.reason === 'full') {
      const name = pool.replace('segment:', '')
      const used = `${name} has ${claim.size}, used by ${nameHolders(claim.holders) || 'nobody'}`
      tried.push(claim.size === 0n ? `all of ${name} is set aside for other projects` : used)
    }
  }
  return { ok: false, finding: noSegment(types, physnet, tried, whom) }
}

/** A number chosen earlier may stay anywhere in the type's own bounds: a range that shrinks renumbers nobody. */
function allocate(
  driver: TypeDriver,
  { pool, ranges }: { readonly pool: string; readonly ranges: readonly Range[] },
  pools: Pools,
  counts: Map<string, number>,
): Claim {
  const { first, last } = driver.numbers ?? { first: 1, last: 1 }
  const count = counts.get(pool) ?? 0
  const claim = pools.allocate(
    pool,
    ranges.map((r) => numberRange(r.from, r.to)),
    { keep: () => [numberRange(first, last)], ...(count === 0 ? {} : { label: String(count) }) },
  )
  if (claim.ok) counts.set(pool, count + 1)
  return claim
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

function noSegment(types: readonly string[], physnet: string | undefined, tried: readonly string[], whom: string): Finding {
  if (tried.length === 0) {
    const where = physnet === undefined ? '' : ` of ${physnet}`
    const hint = types.includes('vlan')
      ? `write a segmentation_id${physnet === undefined ? ' and physical_network' : ''}, a network_segment_range, or network_vlan_ranges in netloom.yaml`
      : 'write a segmentation_id, a network_segment_range, or ranges in netloom.yaml'
    return { code: 'E0403', message: `no number can be chosen: the site has no range for ${types.join(', ')}${where}`, hint }
  }
  const message = `no free number for the ${whom}: ${tried.join('; ')}`
  return { code: 'E0403', message, hint: `widen the ranges${whom === 'network' ? ', or write a segmentation_id outside of them' : ''}` }
}
