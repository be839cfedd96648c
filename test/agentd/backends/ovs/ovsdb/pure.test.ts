import test from 'ava'
import fc from 'fast-check'
import { OvsdbError } from '../../../../../agentd/backends/ovs/ovsdb/error.ts'
import { JsonSplitter } from '../../../../../agentd/backends/ovs/ovsdb/framing.ts'
import { applyUpdate2 } from '../../../../../agentd/backends/ovs/ovsdb/replica.ts'
import type { OvsRow, Schema } from '../../../../../agentd/backends/ovs/ovsdb/values.ts'

test('messages are cut out of the stream wherever its pieces end', (t) => {
  const message = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.array(fc.string()), fc.constant({ a: ['}{"\\'] })))
  fc.assert(
    fc.property(fc.array(message), fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (messages, cuts) => {
      const text = messages.map((m) => JSON.stringify(m)).join('')
      const splitter = new JsonSplitter()
      const got: unknown[] = []
      for (let i = 0; i < text.length; ) {
        const step = cuts.next().value
        for (const part of splitter.push(text.slice(i, i + step))) got.push(JSON.parse(part))
        i += step
      }
      t.deepEqual(got, JSON.parse(JSON.stringify(messages)))
    }),
    { numRuns: 100 },
  )
  t.is(t.throws(() => new JsonSplitter(10).push('{"a":"0123456789'), { instanceOf: OvsdbError })?.code, 'protocol')
})

test('update2: sets and maps carry differences, optional columns the new value; a modified row must be there', (t) => {
  const schema: Schema = { Port: { name: 'scalar', tag: 'optional', trunks: 'set', external_ids: 'map' } }
  const replica = new Map<string, Map<string, OvsRow>>()
  applyUpdate2(replica, schema, {
    Port: {
      u1: {
        initial: {
          name: 'p',
          trunks: ['set', [3, 1]],
          external_ids: [
            'map',
            [
              ['a', '1'],
              ['b', '2'],
            ],
          ],
        },
      },
    },
  })
  const before = replica.get('Port')?.get('u1')
  t.deepEqual(before, { name: 'p', trunks: [1, 3], external_ids: { a: '1', b: '2' } })
  const modify = {
    trunks: ['set', [3, 5]],
    tag: 4,
    external_ids: [
      'map',
      [
        ['a', '1'],
        ['b', '3'],
        ['c', '4'],
      ],
    ],
  }
  const changes = applyUpdate2(replica, schema, { Port: { u1: { modify } } })
  const after = { name: 'p', tag: 4, trunks: [1, 5], external_ids: { b: '3', c: '4' } }
  t.deepEqual(changes, [{ table: 'Port', uuid: 'u1', before, after } as (typeof changes)[number]])
  applyUpdate2(replica, schema, { Port: { u1: { modify: { tag: ['set', []], trunks: 1 } } } })
  t.deepEqual(replica.get('Port')?.get('u1'), { name: 'p', trunks: [5], external_ids: { b: '3', c: '4' } })
  t.is(
    t.throws(() => applyUpdate2(replica, schema, { Port: { u9: { modify: { tag: 4 } } } }), { instanceOf: OvsdbError })?.code,
    'protocol',
  )
  applyUpdate2(replica, schema, { Port: { u1: { delete: null } } })
  t.is(replica.get('Port')?.size, 0)
})
