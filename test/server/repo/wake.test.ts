import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import type { FSWatcher } from 'chokidar'
import { createWaker } from '../../../src/server/repo/wake.ts'
import { watchRepo } from '../../../src/server/repo/watch.ts'
import { CONTEXT, folder, networks, put } from './harness.ts'

/** A watcher that is told what happens, and remembers whether it was closed. */
class FakeWatcher extends EventEmitter {
  closed = false
  added: string[] = []
  add(paths: string[]): void {
    this.added.push(...paths)
  }
  async close(): Promise<void> {
    this.closed = true
  }
}

test('no more watches to be had: they are given back, and the watch says that it looks by the clock', async (t) => {
  const fake = new FakeWatcher()
  let woken = 0
  const waker = createWaker(
    folder(t),
    [],
    () => woken++,
    () => fake as unknown as FSWatcher,
  )
  t.is(waker.polling(), undefined)
  fake.emit('error', Object.assign(new Error('no space'), { code: 'ENOSPC' }))
  t.regex(waker.polling() ?? '', /no more file watches \(ENOSPC\)/)
  t.true(fake.closed)
  t.is(woken, 1)
  await waker.close()
})

test('any other error of the watcher only asks for a look', async (t) => {
  const fake = new FakeWatcher()
  let woken = 0
  const waker = createWaker(
    folder(t),
    [],
    () => woken++,
    () => fake as unknown as FSWatcher,
  )
  fake.emit('error', new Error('queue overflow'))
  t.is(waker.polling(), undefined)
  t.false(fake.closed)
  t.is(woken, 1)
  await waker.close()
})

test('only links that lead outside are watched besides the folder', async (t) => {
  const fake = new FakeWatcher()
  const dir = folder(t)
  const waker = createWaker(
    dir,
    [],
    () => {},
    () => fake as unknown as FSWatcher,
  )
  waker.follow([`${dir}/inside`, '/elsewhere/x.yaml'])
  waker.follow(['/elsewhere/x.yaml'])
  t.deepEqual(fake.added, ['/elsewhere/x.yaml'])
  await waker.close()
})

test('without events: changes are found once a second while polling, else by the rescan, which counts what it finds', async (t) => {
  for (const polling of ['no watches', undefined]) {
    const dir = folder(t)
    put(dir, 'a.yaml', networks('a'))
    const deaf = () => ({ polling: () => polling, follow: () => {}, close: async () => {} })
    const sizes: number[] = []
    const watch = watchRepo(dir, { source: { from: 'worktree' }, context: CONTEXT, rescanMs: 300, createWaker: deaf }, (s) => {
      sizes.push(s.tree.declared.size)
    })
    while (sizes.length < 1) await sleep(10)
    await sleep(50)
    put(dir, 'a.yaml', networks('a', 'b'))
    while (sizes.length < 2) await sleep(10)
    t.deepEqual(sizes, [1, 2])
    t.is(watch.status().polling, polling)
    t.is(watch.status().missedByEvents, polling === undefined ? 1 : 0)
    await watch.close()
    t.is(watch.status().phase, 'closed')
  }
})

test('what the receiver of a state throws ends the watch and is told', async (t) => {
  const dir = folder(t)
  put(dir, 'a.yaml', networks('a'))
  const watch = watchRepo(dir, { source: { from: 'worktree' }, context: CONTEXT }, () => {
    throw new Error('our own bug')
  })
  await t.throwsAsync(watch.ended, { message: 'our own bug' })
  t.is(await watch.recheckAfter(1), 'changed')
})
