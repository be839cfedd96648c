import { ipPool } from '../../kinds/pools.ts'
import type { SubnetSpec } from '../../kinds/subnet/spec.ts'
import { parseIp } from '../../lib/ip.ts'
import { mergeRanges, rangesSize } from '../../lib/ranges.ts'
import { compareText, type Key, keyParts } from '../../model/key.ts'
import type { World } from '../engine/types.ts'

/** One subnet's addresses. `total` is what may be chosen (its allocation pools), as Neutron counts it; written addresses may lie beside it. */
export interface SubnetAvailability {
  readonly subnet: Key
  readonly network: string
  readonly cidr: string
  readonly total: bigint
  readonly used: number
  /** Kept for resources that are gone; given to others when nothing else is left. */
  readonly reserved: number
  readonly free: bigint
}

/** Every subnet of a world, sorted by network and name (Neutron's network-ip-availability). */
export function availability(world: World): readonly SubnetAvailability[] {
  const counted = countByPool(world)
  const out: SubnetAvailability[] = []
  for (const [key, resource] of world.resources) {
    if (resource.kind !== 'subnet') continue
    const spec = resource.spec as SubnetSpec
    const total = rangesSize(mergeRanges(spec.allocation_pools.map((p) => ({ from: addressValue(p.start), to: addressValue(p.end) }))))
    const { used, reserved, inside } = countIn(counted.get(ipPool(key)) ?? [], spec)
    out.push({ subnet: key, network: networkName(key, spec), cidr: spec.cidr, total, used, reserved, free: total - BigInt(inside) })
  }
  return out.sort((a, b) => compareText(a.network, b.network) || compareText(a.subnet, b.subnet))
}

interface Held {
  readonly value: bigint
  readonly reserved: boolean
}

function countByPool(world: World): ReadonlyMap<string, readonly Held[]> {
  const out = new Map<string, Held[]>()
  for (const { pool, value, source } of world.allocations.held.values()) {
    if (!pool.startsWith('ip:')) continue
    const list = out.get(pool) ?? []
    if (list.length === 0) out.set(pool, list)
    list.push({ value: addressValue(value), reserved: source === 'reserved' })
  }
  return out
}

function countIn(held: readonly Held[], spec: SubnetSpec): { readonly used: number; readonly reserved: number; readonly inside: number } {
  const pools = spec.allocation_pools.map((p) => ({ from: addressValue(p.start), to: addressValue(p.end) }))
  let used = 0
  let reserved = 0
  let inside = 0
  for (const one of held) {
    if (one.reserved) reserved++
    else {
      used++
      if (pools.some((p) => one.value >= p.from && one.value <= p.to)) inside++
    }
  }
  return { used, reserved, inside }
}

/** As it is called from outside its project. */
function networkName(subnet: Key, { network }: SubnetSpec): string {
  return network.includes('/') ? network : `${keyParts(subnet).project}/${network}`
}

function addressValue(text: string): bigint {
  return parseIp(text)?.value ?? 0n
}
