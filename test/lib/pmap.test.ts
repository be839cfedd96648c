import test from 'ava'
import fc from 'fast-check'
import { PMap } from '../../src/lib/pmap.ts'

type Op = { readonly set: boolean; readonly key: string; readonly value: number }

const key = fc.oneof(
  fc.integer({ min: 0, max: 400 }).map((n) => `port/default/web-${n}`),
  fc.string({ maxLength: 3 }),
)
const ops = fc.array(fc.record({ set: fc.boolean(), key, value: fc.nat() }), { maxLength: 400, size: 'max' })

const plain = (map: Iterable<readonly [string, number]>): [string, number][] =>
  [...map].map(([k, v]): [string, number] => [k, v]).sort(([a], [b]) => (a < b ? -1 : 1))

test('a draft does what a Map does, and its origin stays', (t) => {
  fc.assert(
    fc.property(ops, ops, (first: Op[], second: Op[]) => {
      const native = new Map<string, number>()
      const draft = PMap.empty<string, number>().draft()
      for (const op of first) {
        if (op.set) draft.set(op.key, op.value)
        else draft.delete(op.key)
        if (op.set) native.set(op.key, op.value)
        else native.delete(op.key)
      }
      const map = draft.done()
      const before = plain(native)
      t.deepEqual(plain(map), before)
      t.is(map.size, native.size)
      let stepwise = map
      for (const op of second) {
        stepwise = op.set ? stepwise.set(op.key, op.value) : stepwise.delete(op.key)
        if (op.set) native.set(op.key, op.value)
        else native.delete(op.key)
        t.is(stepwise.get(op.key), native.get(op.key))
        t.is(stepwise.has(op.key), native.has(op.key))
        t.is(stepwise.size, native.size)
      }
      t.deepEqual(plain(stepwise), plain(native))
      t.deepEqual(plain(map), before)
      t.deepEqual([...stepwise.keys()].sort(), [...native.keys()].sort())
      t.deepEqual([...stepwise.values()].sort(), [...native.values()].sort())
    }),
  )
})

/** Texts that FNV-1a cannot tell apart: it can be run backwards over one code unit. */
function colliding(count: number): string[] {
  const prime = 0x01000193
  const inverse = 0x359c449b
  const target = 12_345
  const out: string[] = []
  for (let prefix = 0; out.length < count; prefix++) {
    let h = 0x811c9dc5
    for (const c of String(prefix)) h = Math.imul(h ^ c.charCodeAt(0), prime)
    for (let first = 0; first < 65_536 && out.length < count; first++) {
      const second = (Math.imul(target, inverse) ^ Math.imul(h ^ first, prime)) >>> 0
      if (second < 65_536) out.push(prefix + String.fromCharCode(first, second))
    }
  }
  return out
}

test('many keys, and keys with one hash, are kept apart', (t) => {
  const keys = [...colliding(40), ...Array.from({ length: 40_000 }, (_, i) => `k${i}`)]
  const map = PMap.from(keys.map((k, i) => [k, i] as const))
  t.is(map.size, keys.length)
  t.true(keys.every((k, i) => map.get(k) === i))
  let emptied = map
  for (const k of keys) emptied = emptied.delete(k)
  t.is(emptied.size, 0)
  t.deepEqual([...emptied], [])
  t.is(map.size, keys.length)
})

test('changes are those of the maps as wholes', (t) => {
  fc.assert(
    fc.property(ops, ops, fc.boolean(), (first: Op[], second: Op[], apart: boolean) => {
      const apply = (map: PMap<string, number>, list: Op[]) =>
        list.reduce((m, op) => (op.set ? m.set(op.key, op.value) : m.delete(op.key)), map)
      const before = apply(PMap.empty(), first)
      const after = apply(apart ? PMap.empty() : before, second)
      const expected = [...new Set([...before.keys(), ...after.keys()])]
        .filter((k) => before.get(k) !== after.get(k))
        .sort()
        .map((k) => ({ key: k, before: before.get(k), after: after.get(k) }))
      t.deepEqual(
        [...PMap.changes(before, after)].sort((a, b) => (a.key < b.key ? -1 : 1)),
        expected,
      )
    }),
  )
})

test('without a change the very same map comes back', (t) => {
  const map = PMap.from<string, number>([['a', 1]])
  t.is(map.draft().done(), map)
  t.is(map.delete('b'), map)
})

test('a draft that is written again does not reach into the maps it made nodes for', (t) => {
  const draft = PMap.empty<string, number>().draft()
  draft.set('a', 1)
  const first = draft.done()
  const other = first.set('a', 2)
  t.is(first.get('a'), 1)
  t.is(other.get('a'), 2)
})
