import { allocate, EMPTY_POOL, type NumberRange, type Pool } from '../../../../src/lib/allocate.ts'
import { compareText } from '../../../../src/model/key.ts'
import type { AllocationTable } from '../../backend.ts'
import { meterNames } from './limits.ts'
import { logMeterNames } from './logged.ts'
import { OWN_METERS } from './meters.ts'
import { patchPorts, tunnelPort } from './names.ts'
import { conjunctionNames, isTracked, loggedRules } from './policy.ts'
import { joinedNetworks } from './routers.ts'
import { askedMeterNames } from './routing.ts'
import { snoopMeterNames } from './snoop.ts'
import { copyNames } from './taps.ts'
import { type HostView, tunnelTypes } from './view.ts'

/** Numbers this backend chooses, by pool. */
export type PoolName = 'network' | 'port' | 'peer' | 'ofport' | 'zone' | 'rules' | 'conjunction' | 'meter' | 'copy' | 'rule' | 'router'
/**
 * OVS numbers the ports that others plug from 1 upward; ours start where that is far away. 0xff00 and above are reserved by OpenFlow.
 * Targets have 28 bits for a number; 24 keep collisions rare and the text short.
 */
const RANGES: Readonly<Record<PoolName, NumberRange>> = {
  network: { first: 1, size: 2 ** 24 - 1 },
  port: { first: 1, size: 2 ** 24 - 1 },
  peer: { first: 1, size: 2 ** 24 - 1 },
  ofport: { first: 0x8000, size: 0x7e00 },
  zone: { first: 1, size: 0xffff },
  rules: { first: 1, size: 0xffff },
  conjunction: { first: 1, size: 2 ** 24 - 1 },
  meter: OWN_METERS,
  copy: { first: 1, size: 2 ** 24 - 1 },
  rule: { first: 1, size: 2 ** 24 - 1 },
  router: { first: 1, size: 2 ** 24 - 1 },
}

/** Name → number in each pool. A name that was not allocated is a bug of ours and throws. */
export interface Numbers {
  of(pool: PoolName, name: string): number
}

export function allocateNumbers(view: HostView, before: AllocationTable): { readonly numbers: Numbers; readonly table: AllocationTable } {
  const wanted: Readonly<Record<PoolName, readonly string[]>> = {
    network: [...new Set([...view.networks.map((n) => n.id), ...joinedNetworks(view.routers)])],
    port: view.attaches.map((a) => a.port),
    peer: view.networks.flatMap((n) => (n.carrier.by === 'tunnel' ? [...n.carrier.senders.keys(), ...n.carrier.peers.keys()] : [])),
    ofport: ownInterfaces(view),
    zone: view.attaches.filter((a) => isTracked(a, view)).map((a) => a.port),
    rules: [...view.policies.keys()],
    conjunction: conjunctionNames(view.policies.values()),
    copy: copyNames(view.taps),
    meter: [...meterNames(view), ...snoopMeterNames(view), ...logMeterNames(view), ...askedMeterNames(view.routers)],
    router: view.routers.map((r) => r.router),
    rule: [...loggedRules(view.policies.values()).keys()],
  }
  let table = before
  for (const name of Object.keys(wanted).sort(compareText) as PoolName[]) {
    const pool = readPool(table, name)
    const next = allocate(pool, wanted[name], RANGES[name])
    if (next !== pool) table = writePool(table, name, next)
  }
  const held = table
  return { table, numbers: { of: (pool, name) => numberOf(held, pool, name) } }
}

/** Interfaces on br-int that we make and number. */
function ownInterfaces(view: HostView): string[] {
  const out: string[] = tunnelTypes(view).map(tunnelPort)
  for (const { carrier } of view.networks) if (carrier.by === 'provider') out.push(patchPorts(carrier.bridge).int)
  for (const { plug } of view.attaches) if (plug.by === 'agent') out.push(plug.interface)
  return out
}

function numberOf(table: AllocationTable, pool: PoolName, name: string): number {
  const number = table[pool]?.[name]
  if (number === undefined) throw new Error(`no ${pool} number for ${name}`)
  return number
}

function readPool(table: AllocationTable, name: PoolName): Pool {
  const held = table[name] ?? {}
  if (table[name] === undefined && table[`${name}/freed`] === undefined) return EMPTY_POOL
  return { held, freed: table[`${name}/freed`] ?? {}, order: table[`${name}/order`] ?? {} }
}

/** Pools without an entry are left out, so that equal states have equal tables. */
function writePool(table: AllocationTable, name: PoolName, pool: Pool): AllocationTable {
  const next = { ...table, [name]: pool.held, [`${name}/freed`]: pool.freed, [`${name}/order`]: pool.order }
  return Object.fromEntries(Object.entries(next).filter(([, numbers]) => Object.keys(numbers).length > 0))
}
