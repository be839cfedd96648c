import test from 'ava'
import { shareOf } from '../../../src/server/hub/share.ts'
import { createTurnstile } from '../../../src/server/hub/turnstile.ts'

test('a thousand at once: some come in, the others are told times one gap apart, and whoever keeps to his is let in', (t) => {
  const turnstile = createTurnstile(2)
  const waits = Array.from({ length: 1000 }, (_, i) => turnstile.wait(`h${i}`, 0))
  t.is(waits.filter((w) => w === 0).length, 101)
  t.deepEqual(waits.slice(101, 104), [202, 204, 206])
  t.is(waits.at(-1), 1998)
  t.deepEqual([turnstile.wait('h101', 100), turnstile.wait('h101', 200), turnstile.wait('h999', 2500)], [102, 0, 0])
  // Let in once: the next time it stands in line like everybody.
  t.is(turnstile.wait('h999', 10_000), 0)
})

test('one after the other is never asked to wait', (t) => {
  const turnstile = createTurnstile(2)
  t.true(Array.from({ length: 500 }, (_, i) => turnstile.wait('h', i * 2)).every((w) => w === 0))
})

test('a host has the same clerk whatever it asks and however it is connected; hosts are shared out evenly', (t) => {
  const text = (host: string, type: string): Uint8Array =>
    Buffer.from(JSON.stringify({ v: 2, id: 'x', host, type, holds: { host: 'other' } }))
  const signature = (host: string, count: number): Uint8Array => Buffer.from(`${host} ${count} ${'A'.repeat(43)}`)
  const of = (peer: string, body: Uint8Array[]): number => shareOf({ envelope: [Buffer.from(peer)], body }, 4)
  const hosts = Array.from({ length: 400 }, (_, i) => `h${i}`)
  const shares = hosts.map((host) => {
    const all = new Set([
      of('a', [text(host, 'hello')]),
      of('b', [text(host, 'pull')]),
      of('c', [signature(host, 7), text(host, 'report')]),
      of('d', [signature(host, 8), Buffer.alloc(0)]),
    ])
    t.is(all.size, 1)
    return [...all][0] ?? -1
  })
  for (const clerk of [0, 1, 2, 3]) t.true(shares.filter((s) => s === clerk).length > 60)
  t.is(of('a', [Buffer.from('garbage')]), of('a', [Buffer.from('other garbage')]))
})
