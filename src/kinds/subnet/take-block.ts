import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import { type Cidr, cidrCovers, cidrOf, formatCidr, parseCidr } from '../../lib/cidr.ts'
import type { Finding } from '../../model/issue.ts'
import { displayKey } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import { nameHolders } from '../findings.ts'
import type { BlockClaim, FullOfBlocks, Pools } from '../kind.ts'
import { blockPool } from '../pools.ts'
import { poolPrefixes } from '../subnetpool/spec.ts'
import { certainPlace, prefixesText, type SubnetPool, wantedBlock } from './pooled.ts'
import { sourcePlace } from './source.ts'

export interface TakenBlock {
  readonly cidr: Cidr
  /** Nobody wrote a cidr. */
  readonly chosen: boolean
  /** With one, the subnet has no block, and `cidr` is of no use. */
  readonly findings: readonly Finding[]
}

/** The block that the pool gives. */
export function takeBlock(resource: Declared, pool: SubnetPool, pools: Pools): TakenBlock {
  const subnet = resource.spec as SubnetDeclared
  const wanted = wantedBlock(subnet, pool)
  const from = poolPrefixes(pool.spec)
  const id = blockPool(pool.key)
  const claim =
    'block' in wanted
      ? pools.claimBlock(id, wanted.block)
      : pools.allocateBlock(id, { from, prefix: wanted.length, anyLength: subnet.prefixlen === undefined })
  const chosen = subnet.cidr === undefined
  const cidr = claim.ok ? parseCidr(claim.value)?.cidr : undefined
  if (cidr !== undefined) return { cidr, chosen, findings: from.some((p) => cidrCovers(p, cidr)) ? [] : [leftBehind(resource, pool, cidr)] }
  const asked = 'block' in wanted ? wanted.block : cidrOf({ family: pool.spec.ip_version, value: 0n }, wanted.length)
  return { cidr: asked, chosen, findings: claim.ok ? [] : [refusal(resource, pool, asked, claim)] }
}

/** Neutron lets only those prefixes go that nobody uses. */
function leftBehind(resource: Declared, pool: SubnetPool, block: Cidr): Finding {
  const name = displayKey(pool.key)
  const message = `subnet ${resource.name} has ${formatCidr(block)} from ${name}, whose prefixes no longer hold it (${prefixesText(pool)})`
  const related = [{ message: `the prefixes of ${name}`, key: pool.key, at: ['prefixes'] }]
  const hint = 'put the prefix back, or remove the subnet first: a prefix can go when nobody uses it'
  return { code: 'E0264', message, at: sourcePlace(resource.spec as SubnetDeclared), related, hint }
}

type Refused = Exclude<BlockClaim, { readonly ok: true }>

function refusal(resource: Declared, pool: SubnetPool, asked: Cidr, claim: Refused): Finding {
  if (claim.reason === 'full') return noRoom(resource, pool, asked.prefix, claim)
  const { holder, value, explicit } = claim
  const held = explicit ? `${displayKey(holder)} has ${value}` : `${displayKey(holder)} got ${value} automatically`
  const message = `${formatCidr(asked)} of ${displayKey(pool.key)} is in use: ${held}`
  const related = [{ message: held, key: holder, ...(explicit ? { at: ['cidr'] } : {}) }]
  const hint = 'write another block of the pool, or leave it out to get a free one'
  return { code: 'E0261', message, at: certainPlace(resource.spec as SubnetDeclared), related, hint }
}

/** Names the pool, its size, what is used, and by whom. */
function noRoom(resource: Declared, pool: SubnetPool, length: number, claim: FullOfBlocks): Finding {
  const name = displayKey(pool.key)
  const at = sourcePlace(resource.spec as SubnetDeclared)
  const prefixes = { message: `the prefixes of ${name}`, key: pool.key, at: ['prefixes'] }
  if (poolPrefixes(pool.spec).every((p) => p.prefix > length)) {
    const message = `no prefix of ${name} (${prefixesText(pool)}) has room for a /${length}`
    return { code: 'E0259', message, at, related: [prefixes], hint: 'write a longer prefixlen, or default_prefixlen in the pool' }
  }
  const by = claim.holders.length === 0 ? '' : ` by ${nameHolders(claim.holders)}`
  const left = claim.largest === undefined ? 'nothing is free' : `the largest free block is a /${claim.largest}`
  const message = `no free /${length} for subnet ${resource.name} in ${name} (${prefixesText(pool)}): ${usedText(claim, pool.spec.ip_version)}${by}; ${left}`
  const related = [prefixes, ...claim.holders.slice(0, 3).map((key) => ({ message: 'has a block of it', key }))]
  return { code: 'E0262', message, at, related, hint: 'add a prefix to the pool, ask for a smaller block, or remove subnets' }
}

function usedText({ size, used }: FullOfBlocks, family: 4 | 6): string {
  const unit = 1n << 64n
  const whole = family === 6 && size % unit === 0n && used % unit === 0n
  return whole ? `${used / unit} of ${size / unit} /64 blocks in use` : `${used} of ${size} addresses in use`
}
