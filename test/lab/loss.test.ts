import test from 'ava'
import { type Arrival, lossReport } from '../../src/lab/loss.ts'

/** One packet per ms, each on the way for 1 ms; `change` says what becomes of packet `seq`. */
function flow(count: number, change: (a: Arrival) => Arrival | undefined = (a) => a): Arrival[] {
  const arrivals: Arrival[] = []
  for (let seq = 0; seq < count; seq++) {
    const a = change({ seq, sent_ms: 1000 + seq, arrived_ms: 1001 + seq })
    if (a !== undefined) arrivals.push(a)
  }
  return arrivals.sort((a, b) => a.arrived_ms - b.arrived_ms)
}
const SENT = { sent: 100, first_ms: 1000, last_ms: 1099, send_gap_ms: 1 }

test('nothing lost, no gap beyond the time on the way', (t) => {
  t.deepEqual(lossReport(flow(100), SENT), {
    sent: 100,
    received: 100,
    lost: 0,
    duplicates: 0,
    reordered: 0,
    largest_gap_ms: 1,
    send_gap_ms: 1,
    receiver_dropped: 0,
    holes: [],
  })
})

test('an outage is counted and timed: 20 packets of 1 ms', (t) => {
  const report = lossReport(
    flow(100, (a) => (a.seq >= 40 && a.seq < 60 ? undefined : a)),
    SENT,
  )
  t.is(report.lost, 20)
  t.is(report.largest_gap_ms, 21)
  t.deepEqual(report.holes, [{ lost: 20, from_ms: 1039, to_ms: 1060 }])
})

test('packets that are held up and then delivered are a gap without loss', (t) => {
  const report = lossReport(
    flow(100, (a) => (a.seq >= 40 && a.seq < 60 ? { ...a, arrived_ms: 1060 + a.seq / 1000 } : a)),
    SENT,
  )
  t.is(report.lost, 0)
  t.is(report.largest_gap_ms, 19)
})

test('what the sender did not send is no gap of the path', (t) => {
  const paused = flow(100, (a) => (a.seq < 50 ? a : { ...a, sent_ms: a.sent_ms + 30, arrived_ms: a.arrived_ms + 30 }))
  t.is(lossReport(paused, { ...SENT, last_ms: 1129, send_gap_ms: 31 }).largest_gap_ms, 1)
})

test('a path that is dead at the beginning or at the end has a gap', (t) => {
  const late = lossReport(
    flow(100, (a) => (a.seq < 30 ? undefined : a)),
    SENT,
  )
  t.deepEqual([late.lost, late.largest_gap_ms], [30, 31])
  const early = lossReport(
    flow(100, (a) => (a.seq >= 70 ? undefined : a)),
    SENT,
  )
  t.deepEqual([early.lost, early.largest_gap_ms], [30, 29])
  t.deepEqual(
    [...late.holes, ...early.holes],
    [
      { lost: 30, from_ms: 1000, to_ms: 1030 },
      { lost: 30, from_ms: 1069, to_ms: 1099 },
    ],
  )
  t.deepEqual([lossReport([], SENT).lost, lossReport([], SENT).largest_gap_ms], [100, 99])
})

test('a packet that comes twice or late is neither lost nor a gap', (t) => {
  const twice = [...flow(100), { seq: 99, sent_ms: 1099, arrived_ms: 1101 }]
  t.deepEqual([lossReport(twice, SENT).duplicates, lossReport(twice, SENT).lost], [1, 0])
  const swapped = flow(100, (a) => (a.seq === 50 ? { ...a, arrived_ms: 1052.5 } : a))
  const report = lossReport(swapped, SENT)
  t.deepEqual([report.reordered, report.lost], [1, 0])
  t.true(report.largest_gap_ms <= 2)
})
