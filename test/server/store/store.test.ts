import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { makeKey } from '../../../src/model/key.ts'
import type { Declared, LoadedFile, Resource } from '../../../src/model/resource.ts'
import type { Holding } from '../../../src/server/engine/types.ts'
import { Connection } from '../../../src/server/store/connection.ts'
import { StoreError } from '../../../src/server/store/error.ts'
import { SCHEMA_VERSION } from '../../../src/server/store/migrate.ts'
import { openStore } from '../../../src/server/store/open.ts'
import { MIGRATIONS } from '../../../src/server/store/schema.ts'
import { allRows, created, declared, deleted, NOW, place, planOf, port, resource, scratch, updated } from './fixtures.ts'

const clock = (): number => NOW

test('a new state file: its directory is made and git-ignored, there is no revision', async (t) => {
  const directory = await scratch(t)
  const store = await openStore(join(directory, '.netloom', 'state.db'), { access: 'write', clock })
  t.is(await store.currentRevision(), undefined)
  t.deepEqual(await allRows(store), [])
  t.is((await store.allocations()).held.size, 0)
  t.deepEqual(await store.integrity(), [])
  t.is(await readFile(join(directory, '.netloom', '.gitignore'), 'utf8'), '*\n')
  await store.close()
})

test('a directory that is not .netloom gets no .gitignore', async (t) => {
  const directory = await scratch(t)
  const store = await openStore(join(directory, 'var', 'state.db'), { access: 'plan', clock })
  t.false(existsSync(join(directory, 'var', '.gitignore')))
  await store.close()
})

test('reading a state file that is not there, or is no database, says so', async (t) => {
  const directory = await scratch(t)
  const missing = await t.throwsAsync(openStore(join(directory, 'none.db'), { access: 'read' }), { instanceOf: StoreError })
  t.is((missing as StoreError).code, 'missing')
  await writeFile(
    join(directory, 'text.db'),
    'this is not a database, and long enough for SQLite to look at its header twice over, at the least. '.repeat(20),
  )
  const corrupt = await t.throwsAsync(openStore(join(directory, 'text.db'), { access: 'write' }), { instanceOf: StoreError })
  t.is((corrupt as StoreError).code, 'corrupt')
})

test('a newer schema is refused with both numbers and left alone', async (t) => {
  const file = join(await scratch(t), 'state.db')
  await (await openStore(file, { access: 'write' })).close()
  const connection = await Connection.open(file, 'write')
  await connection.exec('PRAGMA user_version = 99')
  await connection.close()
  for (const access of ['read', 'plan', 'write'] as const) {
    const error = await t.throwsAsync(openStore(file, { access }), { instanceOf: StoreError })
    t.is((error as StoreError).code, 'newer-schema')
    t.regex(error?.message ?? '', new RegExp(`schema 99.*up to ${SCHEMA_VERSION}\\b`))
  }
})

test('a file of the first schema is brought up to date with all that it holds, and then remembers calls', async (t) => {
  const file = join(await scratch(t), 'state.db')
  const connection = await Connection.open(file, 'write')
  await connection.exec(`${MIGRATIONS[0]}; PRAGMA user_version = 1`)
  await connection.exec(`INSERT INTO revisions VALUES (1, 'p-1', '2026-03-01T12:00:00.000Z', NULL, NULL, NULL, '{}')`)
  await connection.close()
  const store = await openStore(file, { access: 'write', clock })
  t.is((await store.currentRevision())?.plan, 'p-1')
  const a = port('a')
  const plan = planOf(1, { changes: [created(a, { n: 1 })], set: [declared(a, {})] })
  const call = { plugin: 'acme', subscription: 'book', verb: 'create', key: a } as const
  await store.commit(plan, { places: new Map([[a, place(7)]]), now: NOW, calls: [call] })
  t.deepEqual(await store.callbacks.due(NOW, [], 10), [{ id: 1, revision: 2, ...call, attempts: 0, nextAt: NOW, since: NOW }])
  t.deepEqual([await store.resourceAt(a, 1), (await store.resourceAt(a, 2))?.spec], [undefined, { n: 1 }])
  t.deepEqual([...(await store.placesOf([a, port('b')]))], [[a, place(7)]])
  await store.close()
})

test('what was committed is read back exactly, at every revision', async (t) => {
  const store = await openStore(join(await scratch(t), 'state.db'), { access: 'write', clock })
  const a = port('a')
  const b = port('b')
  const odd = { text: 'é "quoted" \\ \u0000 \n 雪 \u{1f600}', empty: [], nested: { n: null, f: 0.1, big: 2 ** 53 - 1, t: true } }
  const git = { commit: '9f2c1ab', author: 'ops', subject: 'first', dirty: false }
  const hold: Holding = { pool: 'ip/default/blue', value: '10.0.0.5', owner: a, source: 'auto' }
  const first = {
    ...planOf(0, { changes: [created(a, odd), created(b, { mtu: 1 })], set: [declared(a, odd), declared(b, {})], hold: [hold] }),
    git,
  }
  const places = new Map([[a, place(4)]])
  const one = await store.commit(first, { places, now: NOW, reason: 'because' })
  t.deepEqual(one, {
    revision: 1,
    plan: first.id,
    committedAt: '2026-03-01T12:00:00.000Z',
    summary: { create: 2, update: 0, delete: 0, recreate: 0 },
    git,
    reason: 'because',
  })
  const rows = await allRows(store)
  t.deepEqual(rows, [
    { declared: declared(a, odd), resource: resource(a, odd), place: place(4), fromRev: 1 },
    { declared: declared(b, {}), resource: resource(b, { mtu: 1 }), fromRev: 1 },
  ])

  // b is not declared anew: its value follows from something else.
  const second = planOf(1, {
    changes: [deleted(a, odd), updated(b, { mtu: 1 }, { mtu: 2 }, 'network blue: mtu')],
    del: [a],
    free: ['ip/default/blue|10.0.0.5'],
  })
  await store.commit(second, { places: new Map(), now: NOW })
  t.deepEqual(await allRows(store), [{ declared: declared(b, {}), resource: resource(b, { mtu: 2 }), fromRev: 2 }])
  t.deepEqual(await allRows(store, 1), rows)
  t.is((await store.allocations()).held.size, 0)
  t.deepEqual(
    (await store.revisions(10)).map((r) => [r.revision, r.plan]),
    [
      [2, second.id],
      [1, first.id],
    ],
  )
  t.deepEqual(await store.currentRevision(), (await store.revisions(1))[0])
  t.deepEqual(await store.integrity(), [])
  await store.close()
})

test('a global kind has no project, a declaration alone may change, and members unknown to the store survive', async (t) => {
  const store = await openStore(join(await scratch(t), 'state.db'), { access: 'write', clock })
  const host = makeKey('host', '', 'h1')
  const spec: Declared = { ...declared(host, { tunnel_ip: '192.0.2.1' }), ...{ ext: { x: 1 } } }
  const full: Resource = { ...resource(host, { tunnel_ip: '192.0.2.1', bridge_mappings: {} }), ...{ ext: { x: 1 } } }
  await store.commit(planOf(0, { changes: [{ ...created(host, {}), after: full }], set: [spec] }), { places: new Map(), now: NOW })
  t.deepEqual(await allRows(store), [{ declared: spec, resource: full, fromRev: 1 }])
  const again = declared(host, { tunnel_ip: '192.0.2.1', bridge_mappings: {} })
  await store.commit(planOf(1, { set: [again] }), { places: new Map(), now: NOW })
  t.deepEqual(await allRows(store), [{ declared: again, resource: full, fromRev: 2 }])
  await store.close()
})

test('a saved plan comes back equal, and is planned, applied or stale by what is true now', async (t) => {
  const file = join(await scratch(t), 'state.db')
  const store = await openStore(file, { access: 'write', clock })
  const a = port('a')
  const changes = Array.from({ length: 450 }, (_, i) => created(port(`n-${i}`), { i }))
  const first = planOf(0, {
    changes: [...changes, created(a, { x: 1 })],
    set: [declared(a, { x: 1 }), ...changes.map((c) => declared(c.key, {}))],
  })
  const other = planOf(0, { changes: [created(a, { x: 2 })], set: [declared(a, { x: 2 })] })
  const beside = await openStore(file, { access: 'plan', clock })
  await beside.savePlan(first)
  await beside.savePlan(other)
  await beside.savePlan(first)
  await beside.close()
  t.deepEqual(await store.plan(first.id), { plan: first, state: 'planned', createdAt: '2026-03-01T12:00:00.000Z' })
  t.is(await store.plan('p-none'), undefined)

  const info = await store.commit(first, { places: new Map(), now: NOW })
  t.is((await store.plan(first.id))?.state, 'applied')
  t.is((await store.plan(other.id))?.state, 'stale')
  t.deepEqual(await store.commit(first, { places: new Map(), now: NOW + 5000 }), info, 'applying it again changes nothing')
  const error = await t.throwsAsync(store.commit(other, { places: new Map(), now: NOW }), { instanceOf: StoreError })
  t.is((error as StoreError).code, 'stale')
  t.is(
    error?.message,
    `plan ${other.id} was made for revision 0, but the current revision is 1 (${first.id}, 2026-03-01T12:00:00.000Z); make a new plan`,
  )
  t.is((await store.revisions(9)).length, 1)
  t.is((await store.plan(first.id))?.plan.changes.length, 451)
  await store.close()
})

test('a plan applied before the last revision is stale, not applied again', async (t) => {
  const store = await openStore(join(await scratch(t), 'state.db'), { access: 'write', clock })
  const a = port('a')
  const first = planOf(0, { changes: [created(a, {})], set: [declared(a, {})] })
  await store.commit(first, { places: new Map(), now: NOW })
  await store.commit(planOf(1, { changes: [deleted(a, {})], del: [a] }), { places: new Map(), now: NOW })
  const error = await t.throwsAsync(store.commit(first, { places: new Map(), now: NOW }))
  t.is((error as StoreError).code, 'stale')
  t.deepEqual(await allRows(store), [])
  await store.close()
})

test('reservations are kept for 30 days and purged after', async (t) => {
  const store = await openStore(join(await scratch(t), 'state.db'), { access: 'write', clock })
  const day = 24 * 3600 * 1000
  const kept: Holding = { pool: 'mac', value: 'fa:16:3e:00:00:01', owner: port('gone'), source: 'reserved', releasedAt: NOW - 29 * day }
  const lapsed: Holding = { ...kept, value: 'fa:16:3e:00:00:02', releasedAt: NOW - 31 * day }
  const auto: Holding = { pool: 'mac', value: 'fa:16:3e:00:00:03', owner: port('gone'), source: 'auto' }
  await store.commit(planOf(0, { hold: [lapsed, kept, auto] }), { places: new Map(), now: NOW })
  const { held, byOwner } = await store.allocations()
  t.deepEqual([...held.entries()].sort(), [
    ['mac|fa:16:3e:00:00:01', kept],
    ['mac|fa:16:3e:00:00:03', auto],
  ])
  t.deepEqual(byOwner.get(port('gone')), ['mac|fa:16:3e:00:00:01', 'mac|fa:16:3e:00:00:03'])
  await store.purge(NOW + 2 * day)
  t.deepEqual([...(await store.allocations()).held.keys()], ['mac|fa:16:3e:00:00:03'])
  await store.close()
})

test('a reader sees one moment while another process commits', async (t) => {
  const file = join(await scratch(t), 'state.db')
  const store = await openStore(file, { access: 'write', clock })
  const a = port('a')
  const hold: Holding = { pool: 'mac', value: 'fa:16:3e:00:00:01', owner: a, source: 'auto' }
  await store.commit(planOf(0, { changes: [created(a, {})], set: [declared(a, {})], hold: [hold] }), { places: new Map(), now: NOW })
  const reader = await openStore(file, { access: 'read' })
  await reader.snapshot(async (moment) => {
    t.is((await moment.currentRevision())?.revision, 1)
    await store.commit(planOf(1, { changes: [deleted(a, {})], del: [a], free: ['mac|fa:16:3e:00:00:01'] }), { places: new Map(), now: NOW })
    t.is((await allRows(moment)).length, 1)
    t.is((await moment.allocations()).held.size, 1)
  })
  t.is((await reader.currentRevision())?.revision, 2)
  t.is((await allRows(reader)).length, 0)
  await t.throwsAsync(reader.savePlan(planOf(2, {})), { message: /opened to read/ })
  await reader.close()
  await store.close()
})

test('resources are read in pages, in order, whatever their number', async (t) => {
  const store = await openStore(join(await scratch(t), 'state.db'), { access: 'write', clock })
  const keys = Array.from({ length: 2500 }, (_, i) => port(`p-${i}`))
  await store.commit(planOf(0, { changes: keys.map((k) => created(k, {})), set: keys.map((k) => declared(k, {})) }), {
    places: new Map(),
    now: NOW,
  })
  const sizes: number[] = []
  for await (const page of store.resources()) sizes.push(page.length)
  t.deepEqual(sizes, [1000, 1000, 500])
  t.deepEqual(
    (await allRows(store)).map((r) => r.declared.key),
    [...keys].sort(),
  )
  const alone = []
  for await (const page of store.declared()) alone.push(...page)
  t.deepEqual(
    alone,
    (await allRows(store)).map((r) => r.declared),
  )
  await store.close()
})

test('parsed files are remembered by content, for one version of the reader', async (t) => {
  const file = join(await scratch(t), 'state.db')
  const entries = Array.from({ length: 700 }, (_, i) => ({ declared: declared(port(`p-${i}`), { i }), place: place(i + 1) }))
  const big: LoadedFile = { path: 'big.yaml', hash: 'aa', entries, issues: [] }
  const bad: LoadedFile = {
    path: 'bad.yaml',
    hash: 'bb',
    entries: [],
    issues: [{ code: 'E0101', severity: 'error', message: 'no', place: place(2) }],
  }
  const store = await openStore(file, { access: 'write', readerVersion: 'v1', clock })
  await store.cacheFiles([big, bad])
  await store.cacheFiles([bad])
  t.deepEqual(
    await store.cachedFiles(['aa', 'bb', 'cc', 'aa']),
    new Map([
      ['aa', big],
      ['bb', bad],
    ]),
  )
  await store.purge(NOW, ['bb'])
  t.deepEqual([...(await store.cachedFiles(['aa', 'bb'])).keys()], ['bb'])
  await store.close()
  const next = await openStore(file, { access: 'read', readerVersion: 'v2' })
  t.is((await next.cachedFiles(['bb'])).size, 0)
  await next.close()
})

test('agents, status, drift and events', async (t) => {
  const store = await openStore(join(await scratch(t), 'state.db'), { access: 'write', clock })
  const agent = {
    host: 'h1',
    epoch: 'e',
    version: '0.1.0',
    lastSeen: 'now',
    revision: 3,
    digest: 'd',
    converged: true,
    facts: { a: [1] },
    allocations: {},
  }
  await store.saveAgent(agent)
  await store.saveAgent({ ...agent, converged: false })
  t.deepEqual(await store.agents(), [{ ...agent, converged: false }])

  const status = { key: port('a'), state: 'ACTIVE', attempts: 0, since: 's' } as const
  const failed = { key: port('b'), state: 'ERROR', cause: 'no bridge', attempts: 2, since: 's' } as const
  await store.saveStatus('h1', [status, failed], [])
  await store.saveStatus('h2', [status], [])
  await store.saveStatus('h1', [{ ...status, state: 'DOWN' }], [port('b')])
  t.deepEqual(await store.status(), [
    { ...status, state: 'DOWN', host: 'h1' },
    { ...status, host: 'h2' },
  ])
  t.deepEqual(await store.status('h2'), [{ ...status, host: 'h2' }])

  const item = { kind: 'missing', where: 'br-int', owners: [port('a')], fields: [], since: 's', action: 'repair' } as const
  await store.saveDrift('h1', [item, { ...item, where: 'br-ex' }])
  await store.saveDrift('h2', [item])
  await store.saveDrift('h1', [item])
  t.deepEqual(await store.drift(), [
    { ...item, host: 'h1' },
    { ...item, host: 'h2' },
  ])
  t.deepEqual(await store.drift('h3'), [])

  await store.event('reload', { ok: false }, { host: 'h1', key: port('a') })
  await store.event('boot', {})
  t.deepEqual(await store.events(1), [{ id: 2, at: '2026-03-01T12:00:00.000Z', type: 'boot', detail: {} }])
  t.deepEqual((await store.events(5))[1], {
    id: 1,
    at: '2026-03-01T12:00:00.000Z',
    type: 'reload',
    detail: { ok: false },
    host: 'h1',
    key: port('a'),
  })
  await store.close()
})
