import test from 'ava'
import fc from 'fast-check'
import { PMap } from '../../src/lib/pmap.ts'
import { draftNested } from '../../src/lib/pmap-nested.ts'

const op = fc.record({
  outer: fc.constantFrom('a', 'b', 'c'),
  inner: fc.constantFrom('x', 'y', 'z'),
  value: fc.option(fc.nat(9), { nil: undefined }),
})
const plain = (map: Iterable<readonly [string, Iterable<readonly [string, number]>]>) =>
  [...map].map(([k, v]) => [k, [...v].sort()] as const).sort()

test('a draft of nested maps does what maps of maps do; empty ones vanish and unchanged ones stay the same', (t) => {
  fc.assert(
    fc.property(fc.array(op), fc.array(op), (first, second) => {
      const native = new Map<string, Map<string, number>>()
      let world = PMap.empty<string, PMap<string, number>>()
      for (const ops of [first, second]) {
        const draft = draftNested(world)
        for (const { outer, inner, value } of ops) {
          const own = native.get(outer) ?? new Map<string, number>()
          if (value === undefined) {
            own.delete(inner)
            draft.delete(outer, inner)
          } else {
            own.set(inner, value)
            draft.set(outer, inner, value)
          }
          if (own.size === 0) native.delete(outer)
          else native.set(outer, own)
          t.is(draft.get(outer, inner), own.get(inner))
          t.is(draft.size(outer), own.size)
          t.deepEqual([...draft.inner(outer)].sort(), [...own].sort())
        }
        const touched = new Set<string>(ops.map((o) => o.outer))
        const next = draft.done()
        for (const [outer, inner] of world) if (!touched.has(outer)) t.is(next.get(outer), inner)
        world = next
        t.deepEqual(plain(world), plain(native))
      }
    }),
  )
})
