import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import type { SubnetpoolDeclared } from '../../../schemas/subnetpool.ts'
import { blockSize } from '../../lib/blocks.ts'
import { parseCidr } from '../../lib/cidr.ts'
import type { Finding } from '../../model/issue.ts'
import { compareText, type Key } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import { nameHolders } from '../findings.ts'
import type { View } from '../kind.ts'
import { DEFAULT_SUBNETPOOL, poolFamily, prefixLengths } from './spec.ts'

interface Taken {
  readonly keys: Key[]
  addresses: bigint
}

/**
 * What each project takes, against `default_quota` (Neutron counts in /32 and /64). From what the subnets declare, so that it does not depend on who came first; told at the pool,
 * where the limit stands, and once per project.
 */
export function quotaFindings(resource: Declared, view: View): Finding[] {
  const pool = resource.spec as SubnetpoolDeclared
  const { default_quota: quota } = pool
  if (quota === undefined) return []
  const family = poolFamily(pool)
  const unit = family === 4 ? 1n : blockSize(6, 64)
  const findings: Finding[] = []
  for (const [project, { keys, addresses }] of takenByProject(resource, view)) {
    if (addresses <= BigInt(quota) * unit) continue
    const what = family === 4 ? 'addresses' : '/64 blocks'
    const message = `project ${project} takes ${unitsText(addresses, unit)} ${what} of subnetpool ${resource.name}, which gives ${quota} to each project: ${nameHolders(keys)}`
    const related = keys.slice(0, 3).map((key) => ({ message: 'takes some of it', key }))
    findings.push({ code: 'E0256', message, at: ['default_quota'], related, hint: 'raise default_quota, or take smaller blocks' })
  }
  return findings
}

function takenByProject(resource: Declared, view: View): ReadonlyMap<string, Taken> {
  const pool = resource.spec as SubnetpoolDeclared
  const family = poolFamily(pool)
  const byDefault = pool.is_default === true ? view.users(view.ref(DEFAULT_SUBNETPOOL, String(family)), 'subnet') : []
  const out = new Map<string, Taken>()
  for (const key of [...view.users(resource.key, 'subnet'), ...byDefault].sort(compareText)) {
    const subnet = view.declared(key)
    if (subnet === undefined) continue
    const { cidr, prefixlen } = subnet.spec as SubnetDeclared
    const length = (cidr === undefined ? prefixlen : parseCidr(cidr)?.cidr.prefix) ?? prefixLengths(pool, family).default_prefixlen
    const taken = out.get(subnet.project) ?? { keys: [], addresses: 0n }
    taken.keys.push(key)
    taken.addresses += blockSize(family, length)
    out.set(subnet.project, taken)
  }
  return out
}

/** Part of a unit counts as begun. */
function unitsText(addresses: bigint, unit: bigint): string {
  return `${(addresses + unit - 1n) / unit}`
}
