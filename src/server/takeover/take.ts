import { isBlockPool } from '../../kinds/pools.ts'
import { cidrsOverlap, parseCidr } from '../../lib/cidr.ts'
import { groupBy } from '../../lib/group-by.ts'
import { PMap } from '../../lib/pmap.ts'
import { count } from '../../lib/text.ts'
import { compareText, displayKey, type Key } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { Holds } from '../../wire/messages.ts'
import { slotOf } from '../engine/asker.ts'
import type { Allocations, Engine, Holding, Step, World } from '../engine/types.ts'
import { type Claim, claimsOf } from './claims.ts'
import { indexSubnets } from './subnets.ts'

/** What agents say they hold, for a server that remembers nothing: where its first plan starts from. */
export interface TakenOver {
  /** Reserved for their owners, who take their own again before anything else (decision 005). */
  readonly allocations: Allocations
  /** Everything an owner is said to have, disputed values included: the guard `renumber` compares with it. */
  readonly reported: (owner: Key) => readonly Claim[]
  /** One sentence for each value or owner about which agents contradict each other. */
  readonly disputes: readonly string[]
}

/** Of one owner: what the agent with the newest set says, and who that was. */
interface Voice {
  readonly host: string
  readonly revision: number
  readonly claims: readonly Claim[]
}

/**
 * Joins what was told. Of one owner the newest set counts. A value that two owners are said to have is reserved for the one that is still declared, or for nobody.
 * `since`: milliseconds since the epoch, from when reservations count.
 */
export function takeOver(told: ReadonlyMap<string, Holds>, declared: PMap<Key, Declared>, since: number): TakenOver {
  const { voices, disputes } = newest(told, declared)
  const slots = new Map<string, readonly Claim[]>()
  for (const { claims } of voices.values()) {
    for (const claim of claims) {
      const slot = slotOf(claim.pool, claim.value)
      slots.set(slot, [...(slots.get(slot) ?? []), claim])
    }
  }
  const reserved = new Map<string, Holding>()
  for (const [slot, claims] of slots) {
    const living = claims.filter((c) => declared.has(c.owner))
    const [first, other] = living.length > 0 ? living : claims
    if (first !== undefined && other === undefined) reserved.set(slot, { ...first, source: 'reserved', releasedAt: since })
    else if (living.length > 1) disputes.push(disputeOf(living, voices))
  }
  for (const [one, other] of overlapping([...reserved.values()])) {
    for (const { pool, value } of [one, other]) reserved.delete(slotOf(pool, value))
    disputes.push(`${displayKey(one.owner)} is told to have ${one.value}, and ${displayKey(other.owner)} ${other.value}, which overlap`)
  }
  return {
    allocations: allocationsOf(reserved),
    reported: (owner) => voices.get(owner)?.claims ?? [],
    disputes: disputes.sort(compareText),
  }
}

/** Blocks of one pool that cannot both be true. */
function overlapping(holdings: readonly Holding[]): readonly (readonly [Holding, Holding])[] {
  const blocks = holdings.flatMap((holding) => {
    const cidr = isBlockPool(holding.pool) ? parseCidr(holding.value)?.cidr : undefined
    return cidr === undefined ? [] : [{ holding, cidr }]
  })
  blocks.sort((a, b) => compareText(a.holding.pool, b.holding.pool) || (a.cidr.first < b.cidr.first ? -1 : 1))
  const found: [Holding, Holding][] = []
  let widest = blocks[0]
  for (const block of blocks.slice(1)) {
    if (widest !== undefined && widest.holding.pool === block.holding.pool && cidrsOverlap(widest.cidr, block.cidr))
      found.push([widest.holding, block.holding])
    if (widest === undefined || widest.holding.pool !== block.holding.pool || block.cidr.last > widest.cidr.last) widest = block
  }
  return found
}

function newest(
  told: ReadonlyMap<string, Holds>,
  declared: PMap<Key, Declared>,
): { readonly voices: ReadonlyMap<Key, Voice>; readonly disputes: string[] } {
  const subnets = indexSubnets(declared.values())
  const voices = new Map<Key, Voice>()
  const disputes: string[] = []
  const hosts = [...told].sort(([a, x], [b, y]) => y.revision - x.revision || compareText(a, b))
  for (const [host, holds] of hosts) {
    for (const [owner, claims] of claimsOf(holds, subnets)) {
      const voice = voices.get(owner)
      if (voice === undefined) voices.set(owner, { host, revision: holds.revision, claims })
      else if (voice.revision === holds.revision && valuesText(voice.claims) !== valuesText(claims))
        disputes.push(`${displayKey(owner)} has ${valuesText(voice.claims)} on ${voice.host}, but ${valuesText(claims)} on ${host}`)
    }
  }
  return { voices, disputes }
}

function disputeOf(claims: readonly Claim[], voices: ReadonlyMap<Key, Voice>): string {
  const by = claims.map((c) => `${displayKey(c.owner)} on ${voices.get(c.owner)?.host ?? ''}`).sort(compareText)
  return `${claims[0]?.value ?? ''} is held by ${by.join(' and by ')}`
}

function valuesText(claims: readonly Claim[]): string {
  return claims.length === 0
    ? 'nothing'
    : claims
        .map((c) => c.value)
        .sort(compareText)
        .join(', ')
}

function allocationsOf(reserved: ReadonlyMap<string, Holding>): Allocations {
  const owned = [...groupBy(reserved, ([, { owner }]) => owner)]
  const byOwner = owned.map(([owner, all]): [Key, readonly string[]] => [owner, all.map(([slot]) => slot).sort(compareText)])
  return { held: PMap.from(reserved), byOwner: PMap.from(byOwner) }
}

/** The world from which the first plan starts: nothing declared, values reserved. */
export function startWorld(engine: Engine, taken: TakenOver, now: number): World {
  return engine.rebuild([], taken.allocations, { now })
}

/** The step as seen from a store that holds nothing: what was taken over is to be written, too. */
export function fromNothing(step: Step): Step {
  return { ...step, touchedSlots: new Set(step.world.allocations.held.keys()) }
}

/** `12 addresses, 12 MACs, 1 segment`: chosen values of the world that are as agents hold them. Undefined when there are none. */
export function takenText(taken: TakenOver, world: World): string | undefined {
  const counts = { ip: 0, mac: 0, segment: 0 }
  for (const [slot, { pool, owner }] of taken.allocations.held) {
    const now = world.allocations.held.get(slot)
    const what = pool.slice(0, pool.indexOf(':'))
    if (now?.owner === owner && now.source === 'auto' && (what === 'ip' || what === 'mac' || what === 'segment')) counts[what]++
  }
  if (counts.ip + counts.mac + counts.segment === 0) return undefined
  return [count(counts.ip, 'address', 'addresses'), count(counts.mac, 'MAC'), count(counts.segment, 'segment')].join(', ')
}
