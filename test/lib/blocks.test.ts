import test from 'ava'
import fc from 'fast-check'
import { alignUp, blockSize, compactCidrs, searchOrder, widestPrefix } from '../../src/lib/blocks.ts'
import { type Cidr, cidrOf, formatCidr, parseCidr } from '../../src/lib/cidr.ts'
import { mergeRanges, rangesSize } from '../../src/lib/ranges.ts'

const cidrs = (...texts: readonly string[]): readonly Cidr[] => texts.flatMap((text) => parseCidr(text)?.cidr ?? [])
const compact = (...texts: readonly string[]): readonly string[] => compactCidrs(cidrs(...texts)).map(formatCidr)
const anyCidr = fc
  .record({ value: fc.integer({ min: 0, max: 255 }), prefix: fc.integer({ min: 24, max: 32 }) })
  .map(({ value, prefix }) => cidrOf({ family: 4, value: (10n << 24n) + BigInt(value) }, prefix))

test('prefixes are compacted', (t) => {
  t.deepEqual(compact('10.0.1.0/24', '10.0.0.0/24'), ['10.0.0.0/23'])
  t.deepEqual(compact('10.0.1.0/24', '10.0.2.0/24'), ['10.0.1.0/24', '10.0.2.0/24'], 'they touch, but are no one block')
  t.deepEqual(compact('fd00::/64', '10.0.0.0/8', '10.1.0.0/16', 'fd00:0:0:1::/64'), ['10.0.0.0/8', 'fd00::/63'])
  t.deepEqual(compact('0.0.0.0/1', '128.0.0.0/1'), ['0.0.0.0/0'])
  t.deepEqual(compact('::/1', '8000::/1'), ['::/0'])
})

test('compacting keeps every address, adds none, and is done after once', (t) => {
  fc.assert(
    fc.property(fc.array(anyCidr, { maxLength: 12 }), (list) => {
      const ranges = (of: readonly Cidr[]) => mergeRanges(of.map((c) => ({ from: c.first, to: c.last })))
      const once = compactCidrs(list)
      t.deepEqual(ranges(once), ranges(list))
      t.deepEqual(compactCidrs(once), once)
      t.true(once.length <= new Set(list.map(formatCidr)).size)
    }),
  )
})

test('every block is looked at once, wherever the search begins', (t) => {
  fc.assert(
    fc.property(fc.array(anyCidr, { maxLength: 6 }), fc.integer({ min: 24, max: 32 }), fc.nat(), fc.nat(), (list, prefix, near, start) => {
      const from = compactCidrs(list)
      const order = searchOrder(from, prefix, { near, start })
      const fitting = from.filter((c) => c.prefix <= prefix).map((c) => ({ from: c.first, to: c.last }))
      t.deepEqual(mergeRanges(order), mergeRanges(fitting))
      t.is(rangesSize(order), rangesSize(fitting))
      for (const range of order) t.is(range.from % blockSize(4, prefix), 0n)
    }),
  )
})

test('the search begins in the region that `near` names, and goes round it first', (t) => {
  const order = searchOrder(cidrs('10.0.0.0/8', '11.0.0.0/16'), 24, { near: 3, start: 5 })
  const text = order.map((r) => [r.from, r.to].map((n) => formatCidr(cidrOf({ family: 4, value: n }, 32)).slice(0, -3)).join('–'))
  t.deepEqual(text, [
    '10.3.5.0–10.3.255.255',
    '10.3.0.0–10.3.4.255',
    '10.4.0.0–10.255.255.255',
    '11.0.0.0–11.0.255.255',
    '10.0.0.0–10.2.255.255',
  ])
  t.deepEqual(searchOrder(cidrs('10.0.0.0/24'), 16, { near: 3, start: 5 }), [])
})

test('the widest block of a range', (t) => {
  const range = (from: bigint, to: bigint) => ({ from, to })
  t.is(widestPrefix(4, range(0n, 2n ** 32n - 1n)), 0)
  t.is(widestPrefix(4, range(1n, 16n)), 29)
  t.is(widestPrefix(4, range(5n, 5n)), 32)
  t.is(widestPrefix(6, range(5n, 4n)), undefined)
  t.is(alignUp(5n, 4n), 8n)
  t.is(alignUp(8n, 4n), 8n)
})
