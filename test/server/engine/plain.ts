import type { Key } from '../../../src/model/key.ts'
import { indexOf } from '../../../src/server/engine/state.ts'
import type { World } from '../../../src/server/engine/types.ts'

type Plain = { readonly [key: string]: unknown }

/**
 * A world as plain sorted data, the engine's own index included: two worlds are equal when these are. Who once found a pool full and got its
 * value elsewhere keeps a reader's mark on that pool, which one that starts with its pinned value never sets: those marks are left out.
 */
export function plainWorld(world: World): Plain {
  const index = indexOf(world)
  const served = (reader: string, fact: string): boolean => fact.startsWith('#p:') && world.resources.has(reader as Key)
  const reads = [...index.reads].map(([reader, facts]) => [reader, facts.filter((f) => !served(reader, f)).sort()] as const)
  const readers = [...index.readers].map(([fact, by]) => [fact, [...by.keys()].filter((r) => !served(r, fact)).sort()] as const)
  return {
    declared: sorted(world.declared),
    resources: sorted(world.resources),
    findings: sorted(world.findings),
    held: sorted(world.allocations.held),
    byOwner: sorted(world.allocations.byOwner),
    scopes: sorted(world.scopes, (s) => ({ version: s.version, intents: sorted(s.intents) })),
    needs: sorted(world.needs, sorted),
    reads: sorted(reads),
    readers: sorted(readers.filter(([, by]) => by.length > 0)),
    users: sorted(index.users, sorted),
    mentions: sorted(index.mentions, sorted),
    kinds: sorted(index.kinds, sorted),
    counts: sorted(index.counts, sorted),
    ids: sorted(index.ids),
    lowered: sorted(index.lowered),
    hosts: sorted(index.hosts, sorted),
    ways: sorted(index.ways, sorted),
    led: sorted(index.led, sorted),
    blocks: sorted(index.blocks, sorted),
  }
}

function sorted<V>(map: Iterable<readonly [string, V]>, show: (value: V) => unknown = (v) => v): Plain {
  const entries = [...map].map(([k, v]): [string, unknown] => [k, show(v)])
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
