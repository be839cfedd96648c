import type { Site } from '../kinds/kind.ts'
import type { PluginChoice } from '../kinds/site/check.ts'
import { SITE_KEY } from '../kinds/site/spec.ts'
import { type PluginSettings, settingsOf } from '../plugins/settings.ts'
import type { Base } from './base.ts'
import { type Context, READER_VERSION, siteOf } from './context.ts'
import type { Controller } from './controller.ts'
import { EMPTY_TREE } from './load/tree.ts'
import type { FleetInput } from './render/fleet.ts'
import { parsePool } from './repo/pool.ts'
import { readOnce } from './repo/read-once.ts'
import { openStore } from './store/open.ts'
import { declaredHosts, type TakeOver } from './takeover.ts'

/* What is to be known before a world is at hand: while the server starts, and until the first revision. */

/** The plugins of the last revision, for a start while the site file cannot be read. */
export async function formerSettings(stateFile: string): Promise<PluginSettings> {
  const store = await openStore(stateFile, { access: 'read', readerVersion: READER_VERSION }).catch(() => undefined)
  if (store === undefined) return settingsOf({})
  try {
    for await (const page of store.resources()) {
      const site = page.find((row) => row.declared.key === SITE_KEY)
      if (site !== undefined) return settingsOf(site.resource.spec as Partial<PluginChoice>)
    }
    return settingsOf({})
  } finally {
    await store.close()
  }
}

/** Endpoints and installation are needed before the first revision is there: then the repo's own site file is asked. */
export async function startingSite(dir: string, context: Context, base: Base): Promise<Site> {
  if (base.revision > 0) return siteOf(base.world)
  const { tree } = await readOnce(dir, { from: 'worktree' }, { loader: context.loader, parseMany: parsePool() }).catch(() => ({
    tree: EMPTY_TREE,
  }))
  const declared = [...tree.declared.values()].filter((d) => d.kind === 'site')
  return siteOf(context.engine.step(base.world, { set: declared, del: [] }, { now: Date.now() }).world)
}

/** Without a revision there are no targets yet, and what the repository declares is all that is known of hosts. */
export function beforeFirst({ base, repo, tree }: Controller, takeOver: TakeOver): Pick<FleetInput, 'first'> {
  if (base.revision > 0 || repo.state === 'unread' || repo.state === 'broken') return {}
  return { first: { declared: declaredHosts(tree), ...takeOver.awaited(tree) } }
}
