import { UNUSED_TYPE } from '../kinds/network/check.ts'
import { UNBOUND } from '../kinds/port/binding.ts'
import { SITE_KEY } from '../kinds/site/spec.ts'
import type { Issue } from '../model/issue.ts'
import { compareText, displayKey } from '../model/key.ts'
import type { Declared } from '../model/resource.ts'
import { absentKind } from '../plugins/absent.ts'
import { BootError } from './boot.ts'
import type { Context } from './context.ts'
import type { World } from './engine/types.ts'
import type { Store } from './store/types.ts'

const WAY_BACK = 'put its plugin back into service_plugins in netloom.yaml'
const THEN = 'start once with it and remove them, then it can go'
const WAY_OUT = `${WAY_BACK} (and its driver into mechanism_drivers or type_drivers); ${THEN}`

/** The committed state that plans are made against. Revision 0 = nothing was ever committed. */
export interface Base {
  readonly revision: number
  readonly world: World
}

/**
 * Rebuilds the current world from the store: what was declared plus the pinned allocations, read at one moment. Throws `BootError` when it holds
 * resources that its plugins do not bring about: without the plugin nobody knows what they are, or how to take them away.
 */
export async function loadBase(store: Store, context: Context, dir: string, now: number): Promise<Base> {
  return await store.snapshot(async (moment) => {
    const info = await moment.currentRevision()
    if (info === undefined) return { revision: 0, world: context.engine.empty() }
    const declared: Declared[] = []
    const read = async (): Promise<void> => {
      for await (const page of moment.declared()) declared.push(...page)
    }
    // Together, so that SQLite has something to do while the rows of the other are taken apart.
    const [allocations] = await Promise.all([moment.allocations(), read()])
    const issues = strangers(declared, context)
    if (issues.length > 0) throw new BootError(dir, issues)
    const world = context.engine.rebuild(declared, allocations, { now })
    const lost = undriven(world)
    if (lost.length > 0) throw new BootError(dir, lost)
    return { revision: info.revision, world }
  })
}

/** A type of network that is not in use, and a port that nobody binds: good when they were committed, so a driver is gone. */
const UNDRIVEN = [UNUSED_TYPE, UNBOUND]

/**
 * Resources that a driver brought about which does not run any more: they would be taken off the hosts before anybody had planned that. A site in error
 * would take everything with it.
 */
function undriven(world: World): readonly Issue[] {
  const found = [...world.findings].flatMap(([key, all]) => {
    const mine = key === SITE_KEY ? all.filter((f) => (f.severity ?? 'error') === 'error') : all.filter((f) => UNDRIVEN.includes(f.code))
    return mine.map((f) => ({ key, message: f.message }))
  })
  const [first] = found.sort((a, b) => compareText(a.key, b.key))
  if (first === undefined) return []
  const others = found.length === 1 ? '' : ` and ${found.length - 1} more`
  const message = `the state file holds ${displayKey(first.key)}${others}, which no driver here brings about: ${first.message}`
  return [{ code: 'E0717', severity: 'error', message, hint: WAY_OUT }]
}

function strangers(declared: readonly Declared[], { kinds, directory }: Context): readonly Issue[] {
  const known = new Set(kinds.map((k) => k.kind))
  const names = new Map<string, string[]>()
  for (const { kind, name } of declared) if (!known.has(kind)) names.set(kind, [...(names.get(kind) ?? []), name])
  return [...names]
    .sort(([a], [b]) => compareText(a, b))
    .map(([kind, of]): Issue => {
      const counted = of.length === 1 ? `a resource (${of[0] ?? ''})` : `${of.length} resources`
      const message = `the state file holds ${counted} of kind ${kind}, which no plugin here brings`
      const how = directory.absent.get(absentKind(kind)) ?? WAY_BACK
      return { code: 'E0717', severity: 'error', message, hint: `${how}; ${THEN}` }
    })
}
