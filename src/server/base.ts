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
    const read = async (): Promise<void> => {
      for await (const page of moment.declared()) declared.push(...page)
    }
    // Together, so that SQLite has something to do while the rows of the other are taken apart.
    const [allocations] = await Promise.all([moment.allocations(), read()])
    return { revision: info.revision, world: engine.rebuild(declared, allocations, { now }) }
  })
}
