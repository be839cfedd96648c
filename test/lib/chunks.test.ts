import test from 'ava'
import fc from 'fast-check'
import { chunkCount, chunksOf } from '../../src/lib/chunks.ts'

const SIZE = 4
const numbers = fc.uniqueArray(fc.nat(10_000), { maxLength: 60 })

test('every member stands in one part', (t) => {
  fc.assert(
    fc.property(numbers, (members) => {
      const parts = [...chunksOf(members, (n) => n, SIZE).values()]
      t.deepEqual(
        parts.flat().sort((a, b) => a - b),
        [...members].sort((a, b) => a - b),
      )
      t.true(parts.every((part) => part.length > 0))
    }),
  )
})

test('one member more changes one part, unless the number of parts grows', (t) => {
  fc.assert(
    fc.property(numbers, fc.integer({ min: 20_000, max: 30_000 }), (members, more) => {
      const before = chunksOf(members, (n) => n, SIZE)
      const after = chunksOf([...members, more], (n) => n, SIZE)
      const changed = [...after].filter(([at, part]) => String(before.get(at)) !== String(part))
      if (chunkCount(members.length, SIZE) === chunkCount(members.length + 1, SIZE)) t.is(changed.length, 1)
    }),
  )
})

test('the order of the members does not count', (t) => {
  t.deepEqual(
    chunksOf([3, 1, 2, 8, 9], (n) => n, 2),
    chunksOf([9, 8, 1, 2, 3], (n) => n, 2),
  )
})

test('parts grow by doubling', (t) => {
  t.deepEqual(
    [0, 1, 4, 5, 8, 9, 16, 17].map((n) => chunkCount(n, 4)),
    [1, 1, 1, 2, 2, 4, 4, 8],
  )
})
