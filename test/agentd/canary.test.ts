import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { type Canary, startCanary } from '../../agentd/canary.ts'
import { until } from '../server/hub/fleet.ts'

/** A switch that a test can end or make hang; as over a socket, one that ended refuses at once and one that hangs is waited for. */
class Switch {
  is: 'there' | 'gone' | 'hanging' = 'there'
  asked: number = 0

  async probe(timeoutMs: number): Promise<void> {
    this.asked++
    for (const end = Date.now() + timeoutMs; this.is === 'hanging' && Date.now() < end; ) await sleep(2)
    if (this.is !== 'there') throw new Error(this.is)
  }
}

const TIMING = { everyMs: 60_000, timeoutMs: 100, againMs: 20 }

async function watched(t: ExecutionContext, timing = TIMING): Promise<{ sw: Switch; canary: Canary; told: string[] }> {
  const sw = new Switch()
  const told: string[] = []
  const canary: Canary = startCanary({
    probe: (timeoutMs) => sw.probe(timeoutMs),
    onChange: () => told.push(canary.state()?.state ?? 'nothing'),
    now: () => new Date().toISOString(),
    timing,
  })
  t.teardown(() => canary.close())
  await until('the first answer', () => told.length === 1)
  return { sw, canary, told }
}

test('a switch that ended is told when its connection breaks, and told again as soon as it is back', async (t) => {
  const { sw, canary, told } = await watched(t)
  sw.is = 'gone'
  const began = Date.now()
  canary.doubt()
  await until('silent', () => told.length === 2)
  t.true(Date.now() - began < 1000)
  sw.is = 'there'
  await until('back', () => told.length === 3)
  t.deepEqual(told, ['answers', 'silent', 'answers'])
})

test('a switch that is back before it is asked a second time is told by nobody', async (t) => {
  const { sw, canary, told } = await watched(t, { ...TIMING, againMs: 200 })
  sw.is = 'gone'
  canary.doubt()
  sw.is = 'there'
  await until('asked again', () => sw.asked === 3)
  await sleep(20)
  t.deepEqual(told, ['answers'])
})

test('a switch that hangs is told after two answers that did not come in time', async (t) => {
  const { sw, told } = await watched(t, { ...TIMING, everyMs: 10 })
  sw.is = 'hanging'
  const began = Date.now()
  await until('silent', () => told.length === 2)
  t.true(Date.now() - began >= 200)
  sw.is = 'there'
  await until('back', () => told.length === 3)
  t.deepEqual(told, ['answers', 'silent', 'answers'])
})

test('a doubt while it is being asked, or was just missed, asks no second time at once; a closed one asks nothing', async (t) => {
  const { sw, canary } = await watched(t, { ...TIMING, againMs: 60_000 })
  sw.is = 'hanging'
  canary.doubt()
  canary.doubt()
  t.is(sw.asked, 2)
  await sleep(150)
  canary.doubt()
  t.is(sw.asked, 2)
  canary.close()
  canary.doubt()
  t.is(sw.asked, 2)
})
