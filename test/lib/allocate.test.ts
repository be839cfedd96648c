import test from 'ava'
import fc from 'fast-check'
import { allocate, EMPTY_POOL, MAX_FREED, type Pool, PoolExhausted } from '../../src/lib/allocate.ts'

const SMALL = { first: 10, size: 4 }
const LARGE = { first: 1, size: 2 ** 24 - 1 }

test('a name keeps its number, whoever comes or goes', (t) => {
  const one = allocate(EMPTY_POOL, ['a', 'b'], LARGE)
  const two = allocate(one, ['c', 'a'], LARGE)
  t.is(two.held['a'], one.held['a'])
  t.deepEqual(Object.keys(two.held), ['a', 'c'])
})

test('nothing to do: the same object, so that nobody saves it again', (t) => {
  const pool = allocate(EMPTY_POOL, ['a', 'b'], LARGE)
  t.is(allocate(pool, ['b', 'a', 'a'], LARGE), pool)
})

test('a name that comes back gets its own number back', (t) => {
  const before = allocate(EMPTY_POOL, ['a', 'b'], LARGE)
  const after = allocate(allocate(before, ['b'], LARGE), ['a', 'b'], LARGE)
  t.deepEqual(after.held, before.held)
  t.deepEqual(after.freed, {})
})

test('a freed number waits until no number is left that was never used, then the oldest goes first', (t) => {
  const full = allocate(EMPTY_POOL, ['a', 'b', 'c'], SMALL)
  const freed = allocate(allocate(full, ['b', 'c'], SMALL), ['c'], SMALL)
  const next = allocate(freed, ['c', 'd'], SMALL)
  t.false(Object.values(full.held).includes(next.held['d'] ?? 0))
  const last = allocate(next, ['c', 'd', 'e'], SMALL)
  t.is(last.held['e'], full.held['a'])
  t.deepEqual(last.freed, { b: full.held['b'] })
})

test('more names than numbers', (t) => {
  const error = t.throws(() => allocate(EMPTY_POOL, ['a', 'b', 'c', 'd', 'e'], SMALL), { instanceOf: PoolExhausted })
  t.is(error.message, 'no number left among 10 to 13')
})

test('what was freed long ago is forgotten', (t) => {
  const names = Array.from({ length: MAX_FREED + 5 }, (_, i) => `p${i}`)
  const gone = allocate(allocate(EMPTY_POOL, names, LARGE), [], LARGE)
  t.is(Object.keys(gone.freed).length, MAX_FREED)
  t.is(Object.keys(gone.order).length, MAX_FREED)
})

test('any sequence of sets: numbers are unique, in range, and never move', (t) => {
  const names = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { maxLength: 6 })
  fc.assert(
    fc.property(fc.array(names, { maxLength: 12 }), (sets) => {
      let pool: Pool = EMPTY_POOL
      for (const set of sets) {
        const next = allocate(pool, set, { first: 5, size: 7 })
        const numbers = Object.values(next.held)
        t.deepEqual(Object.keys(next.held), [...set].sort())
        t.is(new Set([...numbers, ...Object.values(next.freed)]).size, numbers.length + Object.keys(next.freed).length)
        t.true(numbers.every((n) => n >= 5 && n < 12))
        for (const name of set) if (pool.held[name] !== undefined) t.is(next.held[name], pool.held[name])
        t.deepEqual(allocate(pool, [...set].reverse(), { first: 5, size: 7 }), next)
        pool = next
      }
    }),
  )
})
