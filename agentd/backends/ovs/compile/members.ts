import { prefixContains } from '../../../../src/lib/cidr.ts'
import { parseIp } from '../../../../src/lib/ip.ts'
import { remoteOf } from '../../../../src/model/group-rule.ts'
import type { LocationIntent } from '../../../../src/model/intent.ts'
import { compareText, type Key } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import { flowItem } from './build.ts'
import { cookieOfSet } from './cookie.ts'
import type { Numbers } from './numbers.ts'
import { conjunctionName, type Policy, type Remote } from './policy.ts'
import { CLAUSE, conjunctions, DIRECTIONS, type Direction, NOBODY, otherSide } from './rules.ts'

/*
 * Whom rules about a group speak of. A member is known by its address, whichever way its packets come: through routers, or by others that we know nothing of. Only where somebody who is no member has that address (or, of a
 * member's prefix, one in it) in the very network that a packet is on is it his and not the member's, which lives in another network with the same addresses.
 */

/** A network of which ports are here, and who has which address in it. */
export interface Neighbourhood {
  readonly network: number
  readonly locations: readonly LocationIntent[]
}

/** Who is a member: one flow for each address and direction, whatever the number of rules and groups that ask. */
export function remoteItems(
  policies: readonly Policy[],
  remotes: ReadonlyMap<Key, Remote>,
  around: readonly Neighbourhood[],
  numbers: Numbers,
  made: MadeMembers,
): readonly Item[] {
  if (!policies.some((policy) => policy.rules.some(({ rule }) => remoteOf(rule) !== undefined))) return []
  const strangers = new Strangers(around, remotes)
  return DIRECTIONS.flatMap((direction) => {
    const ids = new Map<Key, Set<number>>()
    for (const policy of policies) {
      for (const each of policy.rules) {
        const remote = remoteOf(each.rule)
        if (each.rule.direction !== direction || remote === undefined) continue
        const of = ids.get(remote) ?? new Set()
        ids.set(remote, of.add(numbers.of('conjunction', conjunctionName(policy, each, remote))))
      }
    }
    const byPrefix = new Map<string, readonly Key[]>()
    for (const remote of [...ids.keys()].sort(compareText)) {
      for (const prefix of remotes.get(remote)?.prefixes ?? []) {
        const others = byPrefix.get(prefix)
        byPrefix.set(prefix, others === undefined ? [remote] : [...others, remote])
      }
    }
    const of = (owners: readonly Key[]) => (): ReadonlySet<number> => new Set(owners.flatMap((owner) => [...(ids.get(owner) ?? [])]))
    return [...byPrefix].flatMap(([prefix, owners]) => {
      const apart = strangers.apart(prefix, owners)
      if (apart === undefined) return [made.item(direction, prefix, owners, of(owners))]
      return apart.flatMap(({ network, owners: there }) =>
        there.length === 0 ? [] : [made.item(direction, prefix, there, of(there), network)],
      )
    })
  })
}

/** Tells in which networks an address is somebody else's. */
class Strangers {
  readonly #around: readonly { readonly network: number; readonly ports: ReadonlySet<Key>; readonly holders: ReadonlyMap<string, Key> }[]
  readonly #remotes: ReadonlyMap<Key, Remote>
  readonly #members: Map<Key, ReadonlySet<Key>> = new Map()

  constructor(around: readonly Neighbourhood[], remotes: ReadonlyMap<Key, Remote>) {
    this.#remotes = remotes
    this.#around = around.map(({ network, locations }) => ({
      network,
      ports: new Set(locations.map((l) => l.port)),
      holders: new Map(locations.flatMap((l) => l.ips.map((ip): [string, Key] => [ip, l.port]))),
    }))
  }

  /** Of a member's prefix, for each network: the groups that it stands for there. Undefined: for all of them everywhere, as nearly always. */
  apart(prefix: string, groups: readonly Key[]): readonly { readonly network: number; readonly owners: readonly Key[] }[] | undefined {
    const each = this.#around.map(({ network, ports, holders }) => {
      const found = holdersIn(prefix, holders)
      const owners = found.length === 0 ? groups : groups.filter((g) => found.every((p) => this.#has(g, p)) || this.#isAt(g, prefix, ports))
      return { network, owners }
    })
    return each.every(({ owners }) => owners.length === groups.length) ? undefined : each
  }

  /** Address groups speak of addresses, whoever has them. */
  #has(group: Key, port: Key): boolean {
    const members = this.#remotes.get(group)?.members
    if (members === undefined) return true
    const known = this.#members.get(group) ?? new Set(members.map((m) => m.port))
    this.#members.set(group, known)
    return known.has(port)
  }

  #isAt(group: Key, prefix: string, ports: ReadonlySet<Key>): boolean {
    return this.#remotes.get(group)?.members?.some((m) => ports.has(m.port) && m.prefixes.includes(prefix)) === true
  }
}

/** The ports that have an address in the prefix. */
function holdersIn(prefix: string, holders: ReadonlyMap<string, Key>): readonly Key[] {
  const single = prefix.includes(':') ? '/128' : '/32'
  if (prefix.endsWith(single)) {
    const holder = holders.get(prefix.slice(0, -single.length))
    return holder === undefined ? [] : [holder]
  }
  return [...holders].flatMap(([address, port]) => {
    const ip = parseIp(address)
    return ip !== undefined && prefixContains(prefix, ip) ? [port] : []
  })
}

/** A group may have many thousand members: what was made for one is found again as long as the same rules ask for the same groups. */
export class MadeMembers {
  #before: Map<string, Item> = new Map()
  #now: Map<string, Item> = new Map()
  #rules = ''

  /** Begins a compilation. `rules`: everything that ids follow from. */
  begin(rules: string): void {
    this.#before = rules === this.#rules ? this.#now : new Map()
    this.#now = new Map()
    this.#rules = rules
  }

  item(direction: Direction, prefix: string, owners: readonly Key[], ids: () => ReadonlySet<number>, network?: number): Item {
    const key = `${direction} ${prefix} ${network ?? ''} ${owners.join(' ')}`
    const item = this.#before.get(key) ?? remoteItem(direction, prefix, ids(), owners, network)
    this.#now.set(key, item)
    return item
  }
}

function remoteItem(direction: Direction, prefix: string, ids: ReadonlySet<number>, owners: readonly Key[], network?: number): Item {
  return flowItem({
    cookie: cookieOfSet(`members ${owners[0] ?? NOBODY}`),
    owners,
    table: `${direction}_rules`,
    priority: CLAUSE,
    ...(network === undefined ? {} : { registers: { network } }),
    match: otherSide(direction, prefix),
    actions: conjunctions(ids, 1),
  })
}
