import { compareText, type Key } from '../../model/key.ts'
import type { Resource } from '../../model/resource.ts'
import { usersFact } from './facts.ts'
import { indexOf } from './state.ts'
import type { World } from './types.ts'

/** How many resources of a kind each project declares; costs nothing. */
export function countsOf(world: World, kind: string): Iterable<readonly [project: string, count: number]> {
  return indexOf(world).counts.get(kind) ?? []
}

export function countOf(world: World, kind: string, project: string): number {
  return indexOf(world).counts.get(kind)?.get(project) ?? 0
}

/** All declared resources of a kind, in no order. */
export function keysOf(world: World, kind: string): Iterable<Key> {
  return indexOf(world).kinds.get(kind)?.keys() ?? []
}

/** Those of a kind that have a value, in no order: costs what there are of it, not what there is in the world. */
export function* resourcesOf(world: World, kind: string): Iterable<Resource> {
  for (const key of keysOf(world, kind)) {
    const resource = world.resources.get(key)
    if (resource !== undefined) yield resource
  }
}

/** Resources of a kind that refer to `key`, sorted. */
export function usersIn(world: World, key: Key, kind: string): readonly Key[] {
  return [...(indexOf(world).users.get(usersFact(key, kind))?.keys() ?? [])].sort(compareText)
}
