import test from 'ava'
import fc from 'fast-check'
import type { JsonObject } from '../../../src/model/brand.ts'
import { diffAttributes } from '../../../src/server/plan/attributes.ts'

const lines = (before: JsonObject | undefined, after: JsonObject | undefined): readonly string[] =>
  diffAttributes(before, after).changes.map((c) => `${c.path}: ${JSON.stringify(c.before) ?? '-'} → ${JSON.stringify(c.after) ?? '-'}`)

test('scalars, objects and lists of scalars', (t) => {
  t.deepEqual(lines({ a: 1, b: 'x', c: [1, 2], d: { e: true, f: null } }, { a: 2, b: 'x', c: [1, 3], d: { e: false, f: null } }), [
    'a: 1 → 2',
    'c: [1,2] → [1,3]',
    'd.e: true → false',
  ])
  t.is(diffAttributes({ a: 1, b: 2, c: { d: 1 } }, { a: 1, b: 3, c: { d: 1 } }).unchanged, 2)
})

test('the order of an object’s attributes does not count', (t) => {
  t.deepEqual(lines({ a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } }), [])
})

test('what appears and what goes', (t) => {
  t.deepEqual(lines({}, { plug: { type: 'veth', mtu: 1 } }), ['plug.mtu: - → 1', 'plug.type: - → "veth"'])
  t.deepEqual(lines({ plug: { type: 'veth' } }, {}), ['plug.type: "veth" → -'])
  t.deepEqual(lines({ a: {} }, { a: { b: 1 } }), ['a: {} → {"b":1}'])
  t.deepEqual(lines({ a: [{ b: 1 }] }, { a: [] }), ['a[0].b: 1 → -'])
  t.deepEqual(lines(undefined, { a: [], b: {}, c: '' }), ['a: - → []', 'b: - → {}', 'c: - → ""'])
  t.deepEqual(lines({ a: 1 }, { a: { b: 1 } }), ['a: 1 → {"b":1}'])
})

test('one entry more in a list of objects is one change, wherever it stands', (t) => {
  const five = { ip: '10.0.0.5', subnet: 'v4' }
  const six = { ip: '10.0.0.6', subnet: 'v4' }
  t.deepEqual(lines({ ips: [five] }, { ips: [six, five] }), ['ips[0].ip: - → "10.0.0.6"', 'ips[0].subnet: - → "v4"'])
  t.deepEqual(lines({ ips: [five, six] }, { ips: [six] }), ['ips[0].ip: "10.0.0.5" → -', 'ips[0].subnet: "v4" → -'])
  t.deepEqual(lines({ ips: [five] }, { ips: [six] }), ['ips[0].ip: "10.0.0.5" → "10.0.0.6"'])
  t.is(lines({ ips: [five, six] }, { ips: [six, five] }).length, 1)
})

test('a value and itself never differ, other values always do', (t) => {
  const value = fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<JsonObject>
  fc.assert(
    fc.property(value, value, (a, b) => {
      const same = JSON.stringify(JSON.parse(JSON.stringify(a)))
      t.deepEqual(diffAttributes(a, JSON.parse(same) as JsonObject).changes, [])
      const { changes } = diffAttributes(a, b)
      const back = diffAttributes(b, a).changes
      t.is(changes.length === 0, back.length === 0)
    }),
  )
})
