import test from 'ava'
import { Layers } from '../../../../../agentd/backends/ovs/driver/layers.ts'

test('reads as one map of all, in their order, and follows them', (t) => {
  const one = new Map([['a', 1]])
  const two = new Map([
    ['b', 2],
    ['c', 3],
  ])
  const both = new Layers([one, two])
  t.is(both.size, 3)
  t.deepEqual(
    [...both],
    [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ],
  )
  t.deepEqual([...both.keys()], ['a', 'b', 'c'])
  t.deepEqual([...both.values()], [1, 2, 3])
  t.is(both.get('c'), 3)
  t.is(both.get('d'), undefined)
  t.true(both.has('a'))
  t.false(both.has('d'))
  const seen: string[] = []
  both.forEach((value, key) => void seen.push(`${key}${value}`))
  t.deepEqual(seen, ['a1', 'b2', 'c3'])
  one.set('d', 4)
  two.delete('b')
  t.deepEqual([...both.keys()], ['a', 'd', 'c'])
})
