import type { Declared } from '../model/resource.ts'
import type { Engine, World } from './engine/types.ts'
import type { Store } from './store/types.ts'

/** The committed state that plans are made against. Revision 0 = nothing was ever committed. */
export interface Base {
  readonly revision: number
  readonly world: World
}

/** Rebuilds the current world from the store: what was declared plus the pinned allocations, read at one moment. */
export async function loadBase(store: Store, engine: Engine, now: number): Promise<Base> {
  return await store.snapshot(async (moment) => {
    const info = await moment.currentRevision()
    if (info === undefined) return { revision: 0, world: engine.empty() }
    const declared: Declared[] = []
    for await (const page of moment.resources()) for (const row of page) declared.push(row.declared)
    const allocations = await moment.allocations()
    return { revision: info.revision, world: engine.rebuild(declared, allocations, { now }) }
  })
}
