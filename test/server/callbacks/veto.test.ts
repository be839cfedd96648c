import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { DEFAULT_PLUGINS } from '../../../src/kinds/site/spec.ts'
import type { ChangeEvent, Subscription } from '../../../src/plugins/callbacks.ts'
import type { Directory } from '../../../src/plugins/directory.ts'
import { loadBase } from '../../../src/server/base.ts'
import { createContext, locatorFor, siteOf } from '../../../src/server/context.ts'
import { Controller, type Reading } from '../../../src/server/controller.ts'
import type { Plan } from '../../../src/server/plan/types.ts'
import { parsePool } from '../../../src/server/repo/pool.ts'
import { readOnce } from '../../../src/server/repo/read-once.ts'
import { Connection } from '../../../src/server/store/connection.ts'
import { openStore } from '../../../src/server/store/open.ts'
import type { Store } from '../../../src/server/store/types.ts'
import { directoryWith, servicePlugin } from '../../support/plugin.ts'
import { scratch } from '../store/fixtures.ts'

const REPO = `networks: { blue: {} }
subnets: { b: { network: blue, cidr: 10.1.0.0/24 } }
ports:
  web: { network: blue, tags: [web] }
  db: { network: blue, tags: [db] }
`

interface Rig {
  readonly file: string
  readonly store: Store
  readonly controller: Controller
  readonly aborted: Plan[]
  readonly published: number[]
  write(yaml: string): Promise<void>
  /** What the repository says now, as the watcher hands it over. */
  read(): Promise<Reading>
}

async function rig(t: ExecutionContext, subscriptions: readonly Subscription[], mode: 'auto' | 'manual' = 'auto'): Promise<Rig> {
  const top = await scratch(t)
  const repo = join(top, 'repo')
  await mkdir(repo)
  const file = join(top, 'state.db')
  const directory: Directory = directoryWith(servicePlugin('acme', { subscriptions }))
  const context = createContext(directory)
  const store = await openStore(file, { access: 'write' })
  t.teardown(() => store.close())
  const aborted: Plan[] = []
  const published: number[] = []
  const controller = new Controller({
    engine: context.engine,
    kinds: context.kinds,
    registry: directory.registry,
    // The readings of this rig have no site file.
    running: DEFAULT_PLUGINS,
    subscriptions: directory.subscriptions,
    store,
    hub: {
      publish: ({ revision }) => {
        published.push(revision)
        return []
      },
    },
    base: await loadBase(store, context, repo, 0),
    siteOf: (base) => ({ ...siteOf(base.world), guards: { ...siteOf(base.world).guards, delete_settle_ms: 0 } }),
    mode,
    now: Date.now,
    log: () => undefined,
    onRevision: () => undefined,
    onAbort: (plan) => void aborted.push(plan),
  })
  const write = (yaml: string): Promise<void> => writeFile(join(repo, 'a.yaml'), yaml)
  await write(REPO)
  return {
    file,
    store,
    controller,
    aborted,
    published,
    write,
    async read() {
      const read = await readOnce(repo, { from: 'worktree' }, { loader: context.loader, parseMany: parsePool() })
      const touched = new Set([...read.tree.declared.keys(), ...controller.base.world.declared.keys()])
      return { tree: read.tree, touched, vanished: [], locate: locatorFor(repo, context.kinds, read) }
    },
  }
}

/** Every row of every table, but for the lease, whose heart beats. */
async function dump(file: string): Promise<string> {
  const sql = await Connection.open(file, 'read')
  try {
    const tables = await sql.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'lease' ORDER BY name")
    const rows = await Promise.all(tables.map(async ({ name }) => [name, await sql.all(`SELECT * FROM ${String(name)}`)]))
    return JSON.stringify(rows)
  } finally {
    await sql.close()
  }
}

const keepDb = (stage: 'before' | 'precommit', asked: string[] = []): Subscription => ({
  name: 'keep-db',
  stage,
  kind: 'port',
  verbs: ['update', 'delete'],
  judge({ key, verb }: ChangeEvent) {
    asked.push(`${stage} ${verb} ${key}`)
    return key === 'port/default/db' ? [{ code: 'E9001', message: 'somebody needs it', at: ['tags'], hint: 'ask the owners of db' }] : []
  },
})

test('a veto of one port’s deletion refuses the whole plan, and says who, why and where it stood', async (t) => {
  const r = await rig(t, [keepDb('before')])
  await r.controller.consider(await r.read())
  t.is(r.controller.base.revision, 1)
  const before = await dump(r.file)
  await r.write(
    'networks: { blue: { mtu: 1400 } }\nsubnets: { b: { network: blue, cidr: 10.1.0.0/24 } }\nports: { web: { network: blue } }\n',
  )
  await r.controller.consider(await r.read())
  const { repo } = r.controller
  t.is(repo.state, 'broken')
  t.deepEqual(repo.issues, [
    {
      code: 'E9001',
      severity: 'error',
      message: 'plugin acme refuses the delete of port db (before keep-db): somebody needs it',
      place: { file: 'a.yaml', line: 5, col: 3, endCol: 5 },
      label: 'port db stood here',
      hint: 'ask the owners of db',
    },
  ])
  t.is(r.controller.base.revision, 1, 'the network’s new MTU is refused with it')
  t.is(await dump(r.file), before)
  t.is((await r.controller.apply({ allow: new Map() })).outcome, 'broken')
})

test('a veto of what is still written points at the value it is about', async (t) => {
  const r = await rig(t, [keepDb('before')])
  await r.controller.consider(await r.read())
  await r.write(REPO.replace('tags: [db] }', 'tags: [data] }'))
  await r.controller.consider(await r.read())
  t.deepEqual(
    r.controller.repo.issues.map((i) => [i.message, i.place?.line, i.place?.col]),
    [['plugin acme refuses the update of port db (before keep-db): somebody needs it', 5, 30]],
  )
})

test('a veto inside the transaction leaves the state file as it was, publishes nothing, and tells those who had agreed', async (t) => {
  const asked: string[] = []
  const r = await rig(t, [
    keepDb('precommit', asked),
    { ...keepDb('before', asked), name: 'agrees', judge: () => [] } as Subscription,
    { name: 'book', stage: 'after', kind: '*', verbs: ['create', 'update', 'delete'], act: async () => undefined },
  ])
  await r.controller.consider(await r.read())
  t.deepEqual([r.controller.base.revision, r.published], [1, [1]])
  t.is((await r.store.callbacks.waiting(100)).total, 5, 'network, subnet, default group and two ports')
  const before = await dump(r.file)
  await r.write(REPO.replace('  db: { network: blue, tags: [db] }\n', ''))
  t.is(await r.controller.consider(await r.read()), 0)
  t.is(await dump(r.file), before)
  t.like(r.controller.repo, { state: 'broken' })
  t.regex(r.controller.repo.issues[0]?.message ?? '', /acme refuses the delete of port db \(precommit keep-db\)/)
  t.deepEqual([r.controller.base.revision, r.published, r.aborted.length], [1, [1], 1])
  t.deepEqual(asked, ['precommit delete port/default/db'])
  t.deepEqual(await r.store.integrity(), [])

  await r.write(`${REPO}  more: { network: blue }\n`)
  await r.controller.consider(await r.read())
  t.deepEqual([r.controller.base.revision, r.controller.repo.state], [2, 'clean'], 'and the next plan is committed')
})

test('exactly the plan that is committed is judged: also a stored one, and by every judge of this server', async (t) => {
  let strict = false
  const judge = (): readonly { code: string; message: string }[] => (strict ? [{ code: 'E9001', message: 'not now' }] : [])
  const verbs = ['create', 'update', 'delete'] as const
  for (const stage of ['before', 'precommit'] as const) {
    strict = false
    const r = await rig(t, [{ name: 'moody', stage, kind: 'port', verbs, judge }], 'manual')
    await r.controller.consider(await r.read())
    const { repo } = r.controller
    if (repo.state !== 'pending') throw new Error(repo.state)
    strict = true
    const outcome = await r.controller.apply({ plan: repo.plan.id, allow: new Map() })
    t.is(outcome.outcome, 'broken')
    t.is(await r.store.currentRevision(), undefined)
    strict = false
    t.is((await r.controller.apply({ plan: repo.plan.id, allow: new Map() })).outcome, 'applied')
  }
})

test('a judge that throws refuses the plan and names its plugin; the server goes on', async (t) => {
  for (const stage of ['before', 'precommit'] as const) {
    const judge = (): never => {
      throw new Error('boom')
    }
    const r = await rig(t, [{ name: 'bad', stage, kind: 'port', verbs: ['create'], judge }])
    await r.controller.consider(await r.read())
    t.deepEqual(
      r.controller.repo.issues.map((i) => [i.code, i.message, i.place?.line]),
      [['E0720', `plugin acme cannot judge the create of port db (${stage} bad): it failed: boom`, 5]],
    )
    await r.write('networks: { blue: {} }\n')
    await r.controller.consider(await r.read())
    t.is(r.controller.base.revision, 1)
  }
})
