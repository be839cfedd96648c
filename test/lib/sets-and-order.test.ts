import test from 'ava'
import fc from 'fast-check'
import { topologicalOrder } from '../../src/lib/order.ts'
import { inRanges, mergeRanges, type Range, rangesAt, rangesSize, subtractRanges } from '../../src/lib/ranges.ts'
import { didYouMean, editDistance } from '../../src/lib/suggest.ts'
import { isUuid, uuidsIn } from '../../src/lib/uuid.ts'

const range = fc
  .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }))
  .map(([a, b]): Range => ({ from: BigInt(a), to: BigInt(b) }))
const points = (ranges: readonly Range[]): Set<bigint> => {
  const out = new Set<bigint>()
  for (const r of ranges) for (let n = r.from; n <= r.to; n++) out.add(n)
  return out
}

test('range arithmetic agrees with sets of points', (t) => {
  fc.assert(
    fc.property(fc.array(range), fc.array(range), (a, b) => {
      const left = points(a)
      for (const p of points(b)) left.delete(p)
      const result = subtractRanges(a, b)
      t.deepEqual([...points(result)].sort(), [...left].sort())
      t.is(rangesSize(result), BigInt(left.size))
      const merged = mergeRanges(a)
      t.deepEqual([...points(merged)].sort(), [...points(a)].sort())
      const ordered = [...points(merged)]
      t.true(ordered.every((p, i) => rangesAt(merged, BigInt(i)) === p))
      t.true(ordered.every((p) => inRanges(merged, p)))
      t.true(merged.every((r, i) => i === 0 || r.from > (merged[i - 1]?.to ?? 0n) + 1n))
    }),
  )
})

test('order puts dependencies first and keeps the given order otherwise', (t) => {
  const deps: Record<string, string[]> = { port: ['subnet', 'host'], subnet: ['network'], network: [], host: [], x: ['absent'] }
  t.deepEqual(
    topologicalOrder(['port', 'x', 'network', 'subnet', 'host'], (n) => deps[n] ?? []),
    { ok: true, order: ['network', 'subnet', 'host', 'port', 'x'] },
  )
})

test('a cycle is named', (t) => {
  const deps: Record<string, string[]> = { a: ['b'], b: ['c'], c: ['b'] }
  t.deepEqual(
    topologicalOrder(['a', 'b', 'c'], (n) => deps[n] ?? []),
    { ok: false, cycle: ['b', 'c', 'b'] },
  )
})

test('a chain of 100,000 does not exhaust the stack', (t) => {
  const nodes = Array.from({ length: 100_000 }, (_, i) => i)
  const result = topologicalOrder(nodes, (n) => (n + 1 < nodes.length ? [n + 1] : []))
  t.true(result.ok && result.order[0] === 99_999)
})

test('UUID version 5, the examples of RFC 9562 and Python', (t) => {
  t.is(uuidsIn('6ba7b810-9dad-11d1-80b4-00c04fd430c8')('www.example.com'), '2ed6657d-e927-568b-95e1-2665a8aea6a2')
  t.is(uuidsIn('6ba7b810-9dad-11d1-80b4-00c04fd430c8')('python.org'), '886313e1-3b8a-5372-9b90-0c9aee199e5d')
  t.is(uuidsIn('6ba7b810-9dad-11d1-80b4-00c04fd430c8')('straße'), '5bd56136-bd60-54ea-996b-0f6a8d197c40')
  t.true(isUuid('2ed6657d-e927-568b-95e1-2665a8aea6a2'))
  t.false(isUuid('2ED6657D-e927-568b-95e1-2665a8aea6a2'))
})

test('did you mean', (t) => {
  t.is(didYouMean('netwrok', ['network', 'networks', 'port']), 'network')
  t.is(didYouMean('bleu', ['blue', 'red']), 'blue')
  t.is(didYouMean('xyz', ['blue', 'red']), undefined)
  t.is(didYouMean('h1', ['h3', 'h2', 'h10']), 'h2')
  t.is(didYouMean('Blue', ['blue']), 'blue')
  t.is(editDistance('kitten', 'sitting', 5), 3)
  t.is(editDistance('kitten', 'sitting', 2), 3)
})
