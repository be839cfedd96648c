import test from 'ava'
import { makeKey } from '../../../src/model/key.ts'
import { type DeletionPause, MOST_PAUSES, NO_PAUSE, pauseDeletions, suspend } from '../../../src/server/deletion-pause.ts'

/* What waits, and for how long, on a clock of the test's own. */

const SETTLE = 2000
const port = (n: number) => makeKey('port', 'default', `p${n}`)

/** Readings in their order: `[at, numbers of the ports that are gone]`, `broken` for one that cannot be planned. Gives what each has left to wait. */
function waits(...readings: readonly (readonly [number, readonly number[] | 'broken'])[]): readonly (number | 'broken')[] {
  let pause: DeletionPause = NO_PAUSE
  return readings.map(([at, gone]) => {
    if (gone === 'broken') {
      pause = suspend(pause, at)
      return gone
    }
    const next = pauseDeletions(pause, gone.map(port), at, SETTLE)
    pause = next.left === 0 ? NO_PAUSE : next.pause
    return next.left
  })
}

test('a deletion waits once; nothing waits for anything else', (t) => {
  t.deepEqual(waits([0, []]), [0])
  t.deepEqual(waits([0, [1]], [2000, [1]]), [2000, 0])
  t.deepEqual(waits([0, [1]], [500, []], [600, [1]]), [2000, 0, 2000], 'it was there again in between')
})

test('a save that takes nothing more away begins no new wait; one that does is waited for', (t) => {
  t.deepEqual(waits([0, [1]], [1500, [1]], [2000, [1]]), [2000, 500, 0])
  t.deepEqual(waits([0, [1]], [1500, [1, 2]], [2000, [1, 2]], [3500, [1, 2]]), [2000, 2000, 1500, 0])
})

test('saves that each take something away: all of it waits five times as long, and no longer', (t) => {
  const saves = Array.from({ length: 40 }, (_, n) => [n * 1000, Array.from({ length: n + 1 }, (_, i) => i)] as const)
  const told = waits(...saves)
  const first = told.indexOf(0)
  t.is(saves[first]?.[0], MOST_PAUSES * SETTLE)
  t.is(told[first - 1], 1000, 'the last wait is cut so that the bound holds')
})

test('while the repo cannot be planned nothing is waited for; the bound goes on where it stood', (t) => {
  const hour = 3600_000
  t.deepEqual(waits([0, [1]], [500, 'broken'], [hour, [1]], [hour + 2000, [1]]), [2000, 'broken', 2000, 0])
  const torn = Array.from({ length: 12 }, (_, n) => [[n * 2000, [n]] as const, [n * 2000 + 1000, 'broken'] as const]).flat()
  t.is(torn[waits(...torn).indexOf(0)]?.[0], 2 * MOST_PAUSES * SETTLE, 'half of the time it was broken')
})

test('no wait where none is asked for', (t) => {
  t.is(pauseDeletions(NO_PAUSE, [port(1)], 7.25, 0).left, 0)
})
