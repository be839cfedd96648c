import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { ActionSubscription, ChangeEvent, Subscription } from '../../../src/plugins/callbacks.ts'
import { callsAfter } from '../../../src/plugins/notify.ts'
import { CallbackRunner, type RunnerOptions } from '../../../src/server/callbacks/runner.ts'
import type { Change } from '../../../src/server/plan/types.ts'
import { renderCallbacks } from '../../../src/server/render/callbacks.ts'
import { openStore } from '../../../src/server/store/open.ts'
import type { Store } from '../../../src/server/store/types.ts'
import { directoryWith, servicePlugin } from '../../support/plugin.ts'
import { created, declared, deleted, NOW, planOf, port, scratch, updated } from '../store/fixtures.ts'

const FAST = { first: 20, max: 20, factor: 1, jitter: 0 }
const A = port('a')
const B = port('b')

function after(name: string, act: ActionSubscription['act'], parts: Partial<ActionSubscription> = {}): ActionSubscription {
  return { name, stage: 'after', kind: 'port', verbs: ['create', 'update', 'delete'], act, ...parts }
}

interface Rig {
  readonly store: Store
  readonly runner: CallbackRunner
  readonly log: string[]
  close(): Promise<void>
  commit(...changes: readonly Change[]): Promise<void>
}

async function rig(
  t: ExecutionContext,
  subscriptions: readonly Subscription[],
  parts: { readonly file?: string } & Partial<RunnerOptions> = {},
): Promise<Rig> {
  const file = parts.file ?? join(await scratch(t), 'state.db')
  const store = await openStore(file, { access: 'write' })
  const known = directoryWith(servicePlugin('acme', { subscriptions })).subscriptions
  const log: string[] = []
  let revision = (await store.currentRevision())?.revision ?? 0
  const runner = new CallbackRunner({
    subscriptions: known,
    store,
    revision: () => revision,
    log: (_level, message, detail = {}) => log.push([message, ...Object.values(detail)].join(' ')),
    backoff: FAST,
    ...parts,
  })
  await runner.start()
  let open = true
  const close = async (): Promise<void> => {
    await runner.close()
    if (open) await store.close()
    open = false
  }
  t.teardown(close)
  return {
    close,
    store,
    runner,
    log,
    async commit(...changes) {
      const set = changes.flatMap((c) => (c.after === undefined ? [] : [declared(c.key, c.after.spec)]))
      const del = changes.flatMap((c) => (c.action === 'delete' ? [c.key] : []))
      const plan = planOf(revision, { changes, set, del })
      revision = (await store.commit(plan, { places: new Map(), now: NOW, calls: callsAfter(known, changes) })).revision
      runner.wake()
    },
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await condition()); ) {
    if (Date.now() > end) throw new Error('it did not come to pass within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const settled = (r: Rig) => async (): Promise<boolean> => (await r.runner.waiting(10)).total === 0

test('an `after` that fails three times is visible with cause and count until it succeeds, and then gone', async (t) => {
  const seen: string[] = []
  let calls = 0
  let held = false
  const r = await rig(t, [
    after('book', async (event, { revision }) => {
      calls++
      if (calls <= 3) throw new Error(`no answer ${calls}`)
      while (held) await new Promise((resolve) => setTimeout(resolve, 5))
      seen.push(`${event.verb} ${event.key} ${JSON.stringify(event.after?.spec)} at ${revision}`)
    }),
  ])
  held = true
  await r.commit(created(A, { n: 1 }))
  await until(() => calls === 4)
  const view = await r.runner.waiting(10)
  t.like(view, { total: 1, failing: 1 })
  t.like(view.calls[0], {
    plugin: 'acme',
    subscription: 'book',
    about: 'after create port a',
    revision: 1,
    attempts: 3,
    error: 'no answer 3',
  })
  const text = renderCallbacks(view, NOW + 90_000, true, { width: 160 })
  t.regex(text, /acme book +after create port a +1 +90 s +3 +\d+ \w+ +no answer 3/)
  t.regex(text, /1 call to subscribers waiting, 1 failed before: tried again until they succeed\./)
  held = false
  await until(settled(r))
  t.deepEqual(seen, [`create ${A} {"n":1} at 1`])
  t.is(renderCallbacks(await r.runner.waiting(10), NOW, true), '')
  t.is(r.log.length, 3, 'each new cause is told once')
})

test('calls are made one after the other, in order; of one resource the next waits for the one before, others do not', async (t) => {
  const seen: string[] = []
  let broken = true
  const note =
    (name: string) =>
    async (event: ChangeEvent, { revision }: { readonly revision: number }) => {
      if (name === 'x' && event.key === A && broken) throw new Error('not yet')
      seen.push(`${revision} ${name} ${event.verb} ${event.key} ${event.before?.spec['n'] ?? '-'}>${event.after?.spec['n'] ?? '-'}`)
    }
  const r = await rig(t, [after('x', note('x')), after('first', note('first'), { priority: 1 })])
  await r.commit(created(A, { n: 1 }), created(B, { n: 1 }))
  await r.commit(updated(A, { n: 1 }, { n: 2 }))
  await r.commit({ ...updated(A, { n: 2 }, { n: 3 }), action: 'recreate' })
  await r.commit(deleted(A, { n: 3 }))
  await until(() => seen.length === 7)
  const others = [
    `1 first create ${A} ->1`,
    `1 first create ${B} ->1`,
    `1 x create ${B} ->1`,
    `2 first update ${A} 1>2`,
    `3 first delete ${A} 2>-`,
    `3 first create ${A} ->3`,
    `4 first delete ${A} 3>-`,
  ]
  t.deepEqual(seen, others)
  await until(async () => (await r.runner.waiting(10)).total === 5)
  broken = false
  await until(settled(r))
  t.deepEqual(seen.slice(7), [
    `1 x create ${A} ->1`,
    `2 x update ${A} 1>2`,
    `3 x delete ${A} 2>-`,
    `3 x create ${A} ->3`,
    `4 x delete ${A} 3>-`,
  ])
})

test('calls survive the server; those of a subscription that is gone are dropped, which is said', async (t) => {
  const file = join(await scratch(t), 'state.db')
  const never = async (): Promise<void> => Promise.reject(new Error('never'))
  const one = await rig(t, [after('a', never), after('b', never)], { file })
  await one.commit(created(A, { n: 1 }))
  await until(async () => (await one.runner.waiting(10)).calls.every((c) => c.attempts > 0))
  await one.close()

  const seen: string[] = []
  const two = await rig(t, [after('b', async (event) => void seen.push(`${event.verb} ${event.key}`))], { file })
  await until(settled(two))
  t.deepEqual(seen, [`create ${A}`])
  t.deepEqual(two.log, ['calls of a subscription that is not there any more are dropped acme a 1'])
  const [event] = (await two.store.events(10)).filter((e) => e.type === 'callbacks dropped')
  t.deepEqual(event?.detail, { plugin: 'acme', subscription: 'a', calls: 1 })
})

test('a call that hangs counts as failed, is told to stop, and holds up nobody else', async (t) => {
  const seen: string[] = []
  let told = false
  let release = (): void => undefined
  const r = await rig(
    t,
    [
      after('hangs', async (_, { signal }) => {
        if (told) return void seen.push('hangs came back')
        await new Promise<void>((resolve) => {
          release = resolve
          signal.addEventListener('abort', () => (told = true))
        })
      }),
      after('other', async (event) => void seen.push(`other ${event.key}`)),
    ],
    { limitMs: 30 },
  )
  await r.commit(created(A, { n: 1 }), created(B, { n: 1 }))
  await until(async () => (await r.runner.waiting(10)).total === 2)
  t.deepEqual(seen, [`other ${A}`, `other ${B}`])
  t.true(told)
  const { calls } = await r.runner.waiting(10)
  t.deepEqual(
    calls.map((c) => [c.subscription, c.about, c.attempts, c.error]),
    [
      ['hangs', 'after create port a', 1, 'it did not end within 0.03 s'],
      ['hangs', 'after create port b', 0, undefined],
    ],
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.is(seen.length, 2, 'it is not called again while it hangs')
  release()
  await until(settled(r))
  t.deepEqual(seen.slice(2), ['hangs came back', 'hangs came back'])
})

test('abort and system events: called, tried again, and before_stop last', async (t) => {
  const seen: string[] = []
  let failed = false
  const r = await rig(t, [
    { ...after('undo', async (event) => void seen.push(`abort ${event.verb} ${event.key}`)), stage: 'abort' },
    {
      name: 'watch',
      stage: 'system',
      events: ['process/after_start', 'process/before_stop', 'agent/down'],
      async act({ name, host }) {
        if (name === 'agent/down' && !failed) {
          failed = true
          throw new Error('once')
        }
        seen.push(`${name} ${host ?? ''}`.trim())
      },
    },
  ])
  r.runner.abort([created(A, {})])
  r.runner.say([{ name: 'agent/down', host: 'h1' }])
  await until(() => seen.length === 3)
  await r.runner.close()
  t.deepEqual(seen, ['process/after_start', `abort create ${A}`, 'agent/down h1', 'process/before_stop'])
})

test('closing waits for the call under way, but not long; what did not succeed is made by the next run', async (t) => {
  let calls = 0
  const r = await rig(t, [after('deaf', () => new Promise(() => calls++))], { graceMs: 50 })
  await r.commit(created(A, { n: 1 }))
  await until(() => calls === 1)
  const begun = Date.now()
  await r.runner.close()
  t.true(Date.now() - begun < 1000)
  t.like(await r.store.callbacks.waiting(10), { total: 1, failing: 0 })
})
