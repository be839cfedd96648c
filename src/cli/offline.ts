import { resolve } from 'node:path'
import { compareIssues, hasErrors, type Issue, type Place } from '../model/issue.ts'
import type { Key } from '../model/key.ts'
import { type Base, loadBase } from '../server/base.ts'
import { boot } from '../server/boot.ts'
import { type Context, createContext, locatorFor, READER_VERSION, siteOf } from '../server/context.ts'
import { vanishedFromHead } from '../server/guard/guard.ts'
import { type Proposal, propose } from '../server/proposal.ts'
import { parsePool } from '../server/repo/pool.ts'
import { type RepoRead, readOnce } from '../server/repo/read-once.ts'
import { checkRoot } from '../server/repo/scan.ts'
import { forgotten } from '../server/store/held.ts'
import { openStore, type StoreOptions } from '../server/store/open.ts'
import type { Store } from '../server/store/types.ts'

/** A command's own look at repo and state, without a server. */
export interface Offline {
  readonly context: Context
  readonly dir: string
  readonly store: Store
  readonly base: Base
  readonly read: RepoRead
  readonly proposal: Proposal
  /** What the directory and the state file give to remark on. */
  readonly warnings: readonly Issue[]
}

interface Seen {
  readonly base: Base
  readonly read: RepoRead
  readonly stood: ReadonlyMap<Key, Place>
}

/** Reads repo and state, and works out the proposal. The caller closes the store. Throws `BootError` when the plugins do not fit together. */
export async function lookOffline(dir: string, stateFile: string, access: StoreOptions['access']): Promise<Offline> {
  const root = resolve(dir)
  // Before the state file, which may be about to be made inside of it.
  checkRoot(root)
  const context = createContext(await boot(root, { from: 'worktree' }))
  const store = await openStore(stateFile, { access, readerVersion: READER_VERSION })
  try {
    const base = await loadBase(store, context, root, Date.now())
    const read = await readOnce(
      root,
      { from: 'worktree' },
      {
        loader: context.loader,
        cache: {
          get: (hashes) => store.cachedFiles(hashes),
          put: async (files) => await (access === 'read' ? undefined : store.cacheFiles(files)),
        },
        parseMany: parsePool(),
      },
    )
    const stood = await formerPlaces(store, base, read)
    const lost = forgotten(stateFile, base.revision)
    const warnings = [...context.directory.warnings, ...(lost === undefined ? [] : [lost])]
    return { context, dir: root, store, base, read, warnings, proposal: proposalOf(context, root, { base, read, stood }) }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Where what is gone from the repo stood when it was committed. */
async function formerPlaces(store: Store, base: Base, read: RepoRead): Promise<ReadonlyMap<Key, Place>> {
  const gone: Key[] = []
  for (const [key] of base.world.declared) if (!read.tree.declared.has(key)) gone.push(key)
  return gone.length === 0 ? new Map() : await store.placesOf(gone)
}

function proposalOf(context: Context, dir: string, { base, read, stood }: Seen): Proposal {
  return propose({
    engine: context.engine,
    kinds: context.kinds,
    registry: context.directory.registry,
    running: context.directory.running,
    subscriptions: context.directory.subscriptions,
    base,
    tree: read.tree,
    locate: locatorFor(dir, context.kinds, read),
    formerPlace: (key) => stood.get(key),
    guards: siteOf(base.world).guards,
    vanished: vanishedFromHead(read.git.vanished),
    now: Date.now(),
    ...(read.git.info === undefined ? {} : { git: read.git.info }),
  })
}

/** Every mistake of a repo by itself: no state is read, nothing is written. Throws `BootError`. */
export async function validateRepo(
  dir: string,
): Promise<{ readonly issues: readonly Issue[]; readonly read: RepoRead; readonly resources: number }> {
  const root = resolve(dir)
  const context = createContext(await boot(root, { from: 'worktree' }))
  const read = await readOnce(root, { from: 'worktree' }, { loader: context.loader, parseMany: parsePool() })
  const { warnings } = context.directory
  if (hasErrors(read.issues)) return { issues: [...warnings, ...read.issues].sort(compareIssues), read, resources: read.tree.declared.size }
  const base: Base = { revision: 0, world: context.engine.empty() }
  const { issues } = proposalOf(context, root, { base, read, stood: new Map() })
  return { issues: [...warnings, ...issues].sort(compareIssues), read, resources: read.tree.declared.size }
}
