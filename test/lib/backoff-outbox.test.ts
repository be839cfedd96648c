import test from 'ava'
import { backoffDelay } from '../../src/lib/backoff.ts'
import { createOutbox } from '../../src/lib/outbox.ts'

test('delays grow to the maximum and stay there; jitter only shortens', (t) => {
  const backoff = { first: 100, max: 1000, factor: 2, jitter: 0.5 }
  t.deepEqual(
    [1, 2, 3, 4, 5, 1000].map((n) => backoffDelay(backoff, n, 0)),
    [100, 200, 400, 800, 1000, 1000],
  )
  t.is(backoffDelay(backoff, 5, 0.9), 550)
  t.is(backoffDelay(backoff, 0, 0), 100)
})

test('an outbox sends one after the other, drops what fails or does not fit, and goes on', async (t) => {
  const sent: string[] = []
  let under = 0
  const box = createOutbox<string>(async (item) => {
    under++
    t.is(under, 1)
    await new Promise((resolve) => setTimeout(resolve, 1))
    under--
    if (item === 'bad') throw new Error('EHOSTUNREACH')
    sent.push(item)
  }, 4)
  await Promise.all(['a', 'bad', 'b', 'c', 'too many'].map((item) => box.push(item)))
  await box.push('d')
  t.deepEqual(sent, ['a', 'b', 'c', 'd'])
  t.deepEqual([box.length, box.dropped], [0, 2])
})
