import test from 'ava'
import fc from 'fast-check'
import { afterLoss, BLANK_BOOK, type Book, nextPage, PAGE, type Snapshot } from '../../../agentd/northbound/report-core.ts'
import type { Key } from '../../../src/model/key.ts'
import type { DriftItem, ObjectStatus } from '../../../src/model/status.ts'

const QUIET: Snapshot = {
  revision: 1,
  digest: '0'.repeat(32),
  converged: true,
  statuses: new Map(),
  drift: [],
  facts: {},
  allocations: {},
  timings: {},
}

function status(key: string, cause: string): ObjectStatus {
  return { key: key as Key, state: 'ACTIVE', cause, attempts: 0, since: 'now' }
}

function snapshot(causes: Readonly<Record<string, string>>, rest: Partial<Snapshot> = {}): Snapshot {
  return { ...QUIET, statuses: new Map(Object.entries(causes).map(([k, c]) => [k as Key, status(k, c)])), ...rest }
}

/** What the server makes of it: `full` replaces everything. */
function server(): { readonly known: Map<Key, ObjectStatus>; take(body: ReturnType<typeof nextPage>['body']): void } {
  const known = new Map<Key, ObjectStatus>()
  return {
    known,
    take(body) {
      if (body.full) known.clear()
      for (const s of body.objects) known.set(s.key, s)
      for (const key of body.gone) known.delete(key)
    },
  }
}

test('whatever changes, and whichever replies are lost or ask for everything: the server ends with what the agent has', (t) => {
  const causes = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.constantFrom('x', 'y'), { noNullPrototype: true })
  const turn = fc.record({ causes, fate: fc.constantFrom('acked', 'acked', 'lost before', 'lost after', 'want full') })
  fc.assert(
    fc.property(fc.array(turn), causes, (turns, last) => {
      const s = server()
      let book: Book = BLANK_BOOK
      for (const { causes: now, fate } of turns) {
        const page = nextPage(book, snapshot(now))
        if (fate !== 'lost before') s.take(page.body)
        if (fate === 'acked') book = page.after
        if (fate === 'want full') book = BLANK_BOOK
        if (fate.startsWith('lost')) book = afterLoss(book, page.body)
      }
      s.take(nextPage(book, snapshot(last)).body)
      if (JSON.stringify([...s.known].sort()) !== JSON.stringify([...snapshot(last).statuses].sort())) throw new Error('they differ')
    }),
  )
  t.pass()
})

test('nothing new is an empty report: neither objects nor facts, allocations or drift', (t) => {
  const now = snapshot({ a: 'x' }, { facts: { version: '3.1' } })
  const first = nextPage(BLANK_BOOK, now)
  t.deepEqual([first.body.full, first.body.objects.length, first.body.facts, first.body.drift], [true, 1, { version: '3.1' }, []])
  const second = nextPage(first.after, snapshot({ a: 'x' }, { facts: { version: '3.1' } }))
  t.deepEqual(second.body, { revision: 1, digest: QUIET.digest, converged: true, full: false, objects: [], gone: [], timings: {} })
  t.is(second.after.statuses, first.after.statuses)
})

test('many objects come in pages; converged is said with the last', (t) => {
  const many = snapshot(Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`p${i}`, 'x'])))
  const s = server()
  const pages: unknown[] = []
  let book: Book = BLANK_BOOK
  for (let more = true; more; ) {
    const page = nextPage(book, many)
    pages.push([page.body.full, page.body.objects.length, page.body.gone.length, page.body.converged])
    s.take(page.body)
    book = page.after
    more = page.more
  }
  t.deepEqual(pages, [
    [true, 1000, 0, false],
    [false, 1000, 0, false],
    [false, 500, 0, true],
  ])
  t.is(s.known.size, 2500)
  const gone = nextPage(book, snapshot({}))
  t.deepEqual([gone.body.gone.length, gone.more, gone.body.converged], [PAGE, true, false])
})

test('more drift than a page holds says how much more there is', (t) => {
  const item = (i: number): DriftItem => ({ kind: 'missing', where: `flow ${i}`, owners: [], fields: [], since: 'now', action: 'repair' })
  const drift = Array.from({ length: 5000 }, (_, i) => item(i))
  const page = nextPage(BLANK_BOOK, snapshot({}, { drift }))
  t.is(page.body.drift?.length, PAGE)
  t.is(page.body.drift?.at(-1)?.where, 'and 4001 more, like flow 999')
})
