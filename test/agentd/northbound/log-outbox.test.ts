import test from 'ava'
import { createLogOutbox } from '../../../agentd/northbound/log-outbox.ts'
import type { LogEntry } from '../../../src/model/log-entry.ts'

const entry = (n: number): LogEntry => ({ time: String(n), verdict: 'DROP', suppressed: n })

test('sent again until acknowledged, in batches; numbers go on', (t) => {
  const box = createLogOutbox()
  t.is(box.next(), undefined)
  for (let n = 0; n < 700; n++) box.add(entry(n))
  const first = box.next()
  t.deepEqual([first?.first, first?.entries.length, first?.lost], [0, 500, undefined])
  t.deepEqual(box.next(), first)
  t.true(first !== undefined && box.acknowledge(first))
  const second = box.next()
  t.deepEqual([second?.first, second?.entries.length, second?.entries[0]?.time], [500, 200, '500'])
  t.false(second !== undefined && box.acknowledge(second))
  t.is(box.next(), undefined)
})

test('what is too much while the server is away is lost from the front, and counted once', (t) => {
  const box = createLogOutbox()
  for (let n = 0; n < 5000; n++) box.add(entry(n))
  const sent = box.next()
  for (let n = 5000; n < 6000; n++) box.add(entry(n))
  const next = box.next()
  t.deepEqual([next?.first, next?.lost, next?.entries[0]?.time], [1000, 1000, '1000'])
  // The reply to what was sent before comes late: nothing is acknowledged that was not in it.
  t.true(sent !== undefined && box.acknowledge(sent))
  t.deepEqual(box.next()?.first, 1000)
  t.true(next !== undefined && box.acknowledge(next))
  t.deepEqual([box.next()?.first, box.next()?.lost], [1500, undefined])
})
