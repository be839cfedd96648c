import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { Connection } from '../../../src/server/store/connection.ts'
import { StoreError } from '../../../src/server/store/error.ts'
import { HEARTBEAT_MS, LEASE_MS, liveHolder, readLease, STALLED_MS } from '../../../src/server/store/lease.ts'
import { openStore } from '../../../src/server/store/open.ts'
import { lifeOf, thisProcess } from '../../../src/server/store/process.ts'
import { NOW, planOf, scratch } from './fixtures.ts'

const MODULE = new URL('../../../src/server/store/open.js', import.meta.url).href

test('one holder at a time; the other is told who and since when; readers and planners need none', async (t) => {
  const file = join(await scratch(t), 'state.db')
  const first = await openStore(file, { access: 'write', clock: () => NOW })
  const error = await t.throwsAsync(openStore(file, { access: 'write', clock: () => NOW + 2000 }), { instanceOf: StoreError })
  t.is((error as StoreError).code, 'locked')
  t.is(
    error?.message,
    `the state file is held by process ${process.pid} on ${hostname()} since 2026-03-01T12:00:00.000Z (last heard 2 s ago); ` +
      'it frees itself when that process ends, or 300 s after it was last heard',
  )
  for (const access of ['read', 'plan'] as const) await (await openStore(file, { access })).close()
  await first.close()
  const second = await openStore(file, { access: 'write', clock: () => NOW })
  t.is((await leaseOf(file)).fencing, 2)
  await second.close()
  t.is((await leaseOf(file)).holder, undefined)
})

test('a lease that is not renewed lapses, and its late holder is refused without writing', async (t) => {
  const file = join(await scratch(t), 'state.db')
  const frozen = await openStore(file, { access: 'write', clock: () => NOW })
  const taker = await openStore(file, { access: 'write', clock: () => NOW + STALLED_MS + 1 })
  const error = await t.throwsAsync(frozen.commit(planOf(0, {}), { places: new Map(), now: NOW }), { instanceOf: StoreError })
  t.is((error as StoreError).code, 'locked')
  t.is(await taker.currentRevision(), undefined)
  await frozen.close()
  t.is((await leaseOf(file)).fencing, 2, 'closing the late holder does not free the other one')
  t.truthy((await leaseOf(file)).holder)
  await taker.close()
})

test('a holder that was killed on this machine is taken over at once', async (t) => {
  const file = join(await scratch(t), 'state.db')
  const code = `const { openStore } = await import(${JSON.stringify(MODULE)})
    await openStore(${JSON.stringify(file)}, { access: 'write' }); console.log('held'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const error = await t.throwsAsync(openStore(file, { access: 'write' }), { instanceOf: StoreError })
  t.regex(error?.message ?? '', new RegExp(`held by process ${child.pid} `))
  child.kill('SIGKILL')
  await once(child, 'exit')
  const store = await openStore(file, { access: 'write' })
  await store.close()
})

test('a pid used again, an earlier boot and another machine are told apart', (t) => {
  const me = thisProcess()
  t.is(lifeOf(me), 'alive')
  t.is(lifeOf({ ...me, started: '1' }), 'dead')
  t.is(lifeOf({ ...me, boot: 'an earlier one' }), 'dead')
  t.is(lifeOf({ ...me, host: `not-${me.host}`, pid: 1, started: '1' }), 'unknown')
})

test('a holder that certainly lives is given more time than one on another machine', (t) => {
  const holder = { ...thisProcess(), since: '' }
  const held = (silence: number, who: typeof holder): boolean =>
    liveHolder({ fencing: 1, holder: who, heartbeat: NOW - silence }, NOW) !== undefined
  const elsewhere = { ...holder, host: 'another' }
  t.deepEqual([held(LEASE_MS + 1, holder), held(STALLED_MS + 1, holder)], [true, false])
  t.deepEqual([held(LEASE_MS, elsewhere), held(LEASE_MS + 1, elsewhere)], [true, false])
  t.false(held(0, { ...holder, started: '1' }))
})

test('a commit that outlasts the lease keeps it', async (t) => {
  const file = join(await scratch(t), 'state.db')
  let now = NOW
  const store = await openStore(file, { access: 'write', clock: () => now, failPoint: () => void (now += STALLED_MS) })
  await store.commit(planOf(0, {}), { places: new Map(), now: NOW })
  t.is((await leaseOf(file)).heartbeat, now - STALLED_MS, 'as of the end of the transaction; one step comes after it')
  await store.close()
})

test('a file that was deleted, replaced by a copy, or lost with its folder takes nothing any more', async (t) => {
  const losses: Readonly<Record<string, (folder: string, file: string) => Promise<void>>> = {
    'was deleted or moved away': async (_, file) => rm(file),
    'was replaced by another file': async (_, file) => {
      await copyFile(file, `${file}.copy`)
      await rename(`${file}.copy`, file)
    },
    'deleted or moved away': async (folder) => rm(folder, { recursive: true }),
  }
  for (const [what, lose] of Object.entries(losses)) {
    const folder = await scratch(t)
    const file = join(folder, 'state.db')
    const store = await openStore(file, { access: 'write', clock: () => NOW })
    await store.commit(planOf(0, {}), { places: new Map(), now: NOW })
    await lose(folder, file)
    const next = planOf(1, { id: 'p-2' })
    const error = await t.throwsAsync(store.commit(next, { places: new Map(), now: NOW }), { instanceOf: StoreError })
    t.is((error as StoreError).code, 'replaced')
    t.true(error?.message.startsWith(`E0801: the state file ${file} `) && error.message.includes(what), error?.message)
    await store.close()
  }
})

test('a file that goes while a commit is under way does not take it', async (t) => {
  const file = join(await scratch(t), 'state.db')
  const store = await openStore(file, { access: 'write', failPoint: async (step) => (step === 'commit:event' ? rm(file) : undefined) })
  const error = await t.throwsAsync(store.commit(planOf(0, {}), { places: new Map(), now: NOW }), { instanceOf: StoreError })
  t.is((error as StoreError).code, 'replaced')
  await store.close()
})

test('a file that goes while nothing is written is noticed with the next heartbeat', async (t) => {
  const file = join(await scratch(t), 'state.db')
  let told: (error: unknown) => void = () => {}
  const lost = new Promise<unknown>((done) => (told = done))
  const store = await openStore(file, { access: 'write', onLeaseLost: (error) => told(error) })
  await rm(file)
  // The lease's own timer keeps nobody alive.
  const awake = setTimeout(() => {}, HEARTBEAT_MS * 4)
  const error = await lost
  clearTimeout(awake)
  t.is(error instanceof StoreError ? error.code : error, 'replaced')
  await store.close()
})

async function leaseOf(file: string): Promise<Awaited<ReturnType<typeof readLease>>> {
  const connection = await Connection.open(file, 'read')
  try {
    return await readLease(connection)
  } finally {
    await connection.close()
  }
}
