import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { compareText } from '../../../src/model/key.ts'
import { COMMIT_STEPS } from '../../../src/server/store/commit.ts'
import { openStore } from '../../../src/server/store/open.ts'
import type { Store } from '../../../src/server/store/types.ts'
import { commitNext, passing, STEADY } from './crash-child.ts'
import { allRows, scratch } from './fixtures.ts'

const CHILD = fileURLToPath(new URL('./crash-child.js', import.meta.url))

/** The database is sound, and every table is at one revision: the newest. */
async function assertWhole(t: ExecutionContext, store: Store, label: string): Promise<number> {
  t.deepEqual(await store.integrity(), [], label)
  const info = await store.currentRevision()
  const n = info?.revision ?? 0
  const rows = await allRows(store)
  const expected = n === 0 ? [] : [...STEADY, ...passing(n)].sort(compareText)
  t.deepEqual(
    rows.map((r) => [r.declared.key, r.declared.spec['n'], r.resource.spec['n'], r.fromRev]),
    expected.map((key) => [key, n, n, n]),
    label,
  )
  t.deepEqual([...(await store.allocations()).held.keys()], n === 0 ? [] : [`vni|${n}`], label)
  t.deepEqual((await store.revisions(1000)).length, n, label)
  if (n > 0) t.is((await store.plan(`p-${n}`))?.state, 'applied', label)
  if ((await store.plan(`p-${n + 1}`)) !== undefined) t.is((await store.plan(`p-${n + 1}`))?.state, 'planned', label)
  const events = await store.events(1000)
  t.is(events.filter((e) => e.type === 'commit').length, n, label)
  return n
}

for (const step of [...COMMIT_STEPS, 'done']) {
  test(`kill -9 after the step "${step}" of a commit: the old or the new revision, never a mixture`, async (t) => {
    const file = join(await scratch(t), 'state.db')
    const before = await openStore(file, { access: 'write' })
    for (let i = 0; i < 3; i++) await commitNext(before)
    await before.close()
    const child = fork(CHILD, [file, `commit:${step}`, '5'], { execArgv: [] })
    const [, signal] = await once(child, 'exit')
    t.is(signal, 'SIGKILL')
    const after = await openStore(file, { access: 'write' })
    t.is(await assertWhole(t, after, step), step === 'done' ? 4 : 3)
    t.is(await commitNext(after), step === 'done' ? 5 : 4, 'and the next commit goes on from there')
    await assertWhole(t, after, step)
    await after.close()
  })
}

test('kill -9 a hundred times at random moments: sound, and never a mixture', async (t) => {
  t.timeout(120_000)
  const file = join(await scratch(t), 'state.db')
  let last = 0
  let inside = 0
  for (let life = 0; life < 100; life++) {
    const child = fork(CHILD, [file, '-', '1000000'], { execArgv: [] })
    const gone = once(child, 'exit')
    await Promise.race([once(child, 'message'), gone])
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 50))
    child.kill('SIGKILL')
    await gone
    const store = await openStore(file, { access: life % 10 === 9 ? 'write' : 'read' })
    const n = await assertWhole(t, store, `life ${life}`)
    t.true(n >= last, `life ${life}: revision ${last} is never lost`)
    if ((await store.plan(`p-${n + 1}`)) !== undefined) inside++
    last = n
    await store.close()
  }
  t.true(last > 10, `revisions were made between the kills: ${last}`)
  t.log(`${last} revisions; ${inside} kills fell between a saved plan and its commit`)
})
