import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { Connection } from '../../../src/server/store/connection.ts'
import { StoreError } from '../../../src/server/store/error.ts'
import { LEASE_MS, readLease } from '../../../src/server/store/lease.ts'
import { openStore } from '../../../src/server/store/open.ts'
import { mayBeAlive, thisProcess } from '../../../src/server/store/process.ts'
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
      'it frees itself 30 s after that process was last heard',
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
  const taker = await openStore(file, { access: 'write', clock: () => NOW + LEASE_MS + 1 })
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
  t.true(mayBeAlive(me))
  t.false(mayBeAlive({ ...me, started: '1' }))
  t.false(mayBeAlive({ ...me, boot: 'an earlier one' }))
  t.true(mayBeAlive({ ...me, host: `not-${me.host}`, pid: 1, started: '1' }))
})

async function leaseOf(file: string): Promise<Awaited<ReturnType<typeof readLease>>> {
  const connection = await Connection.open(file, 'read')
  try {
    return await readLease(connection)
  } finally {
    await connection.close()
  }
}
