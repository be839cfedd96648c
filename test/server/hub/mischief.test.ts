import test from 'ava'
import { openBadNetwork } from './bad-network.ts'
import { isSynced, setFault, startAgent, startHub, until } from './fleet.ts'
import { nextWorld, type Sketch, world } from './worlds.ts'

/** A small generator with a seed, so that a failure can be run again (mulberry32). */
function generator(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const HOSTS = Array.from({ length: 12 }, (_, i) => `h${i}`)
const NETS = ['net/a', 'net/b', 'net/c', 'net/d']

function needsOf(host: string, random: () => number): string[] {
  return ['fabric', `host/${host}`, ...NETS.filter(() => random() < 0.5)]
}

function bump(random: () => number): Sketch {
  const net = NETS[Math.floor(random() * NETS.length)] ?? 'net/a'
  // Now and then so many that the delta is too large for PUB.
  const size = random() < 0.1 ? 2500 : 3
  return { [net]: Object.fromEntries(Array.from({ length: size }, (_, i) => [`p${i}`, Math.floor(random() * 60_000)])) }
}

test('lost, doubled, reordered, late and oversized messages change nothing in the end state', async (t) => {
  const seed = Number(process.env['NETLOOM_SEED'] ?? Date.now() % 1_000_000)
  t.log(`NETLOOM_SEED=${seed}`)
  const random = generator(seed)
  const hub = await startHub(t)
  const network = await openBadNetwork(t, hub.endpoints)
  let current = world({ fabric: { e: 1 } }, Object.fromEntries(HOSTS.map((h) => [h, needsOf(h, random)])))
  hub.restore(1, current, [])
  const told = new Map(HOSTS.map((h) => [h, new Set([hub.targetOf(h)?.digest])]))
  const faults: string[] = []
  const agents = HOSTS.map((host) =>
    startAgent(t, {
      server: network.rpc,
      host,
      onTarget(target) {
        const fault = setFault(target) ?? (told.get(host)?.has(target.digest) === true ? undefined : 'never a target')
        if (fault !== undefined) faults.push(`${host}: ${fault}`)
      },
    }),
  )
  network.fate = (way) => {
    const r = random()
    if (r < 0.25) return []
    if (r < 0.4) return [0, 30 * random()]
    return r < 0.7 ? [60 * random()] : way === 'pub' ? [0, 0] : [0]
  }
  for (let revision = 2; revision <= 60; revision++) {
    const moved = HOSTS.filter(() => random() < 0.1)
    current = nextWorld(current, bump(random), Object.fromEntries(moved.map((h) => [h, needsOf(h, random)])))
    hub.publish(revision, current, random() < 0.2 ? HOSTS.slice(0, 3) : undefined)
    for (const host of HOSTS) told.get(host)?.add(hub.targetOf(host)?.digest)
    if (random() < 0.1) hub.move(HOSTS.slice(0, 2), revision - 1)
    for (const host of HOSTS) told.get(host)?.add(hub.targetOf(host)?.digest)
    await new Promise((resolve) => setTimeout(resolve, 20 * random()))
  }
  network.fate = () => [0]
  await until('all agents are at their targets', () => agents.every((a) => isSynced(hub, a)))
  t.deepEqual(faults, [])
  t.log(Object.fromEntries(network.counts))
})

test('with PUB dead for good hosts still converge, and questions still arrive', async (t) => {
  const hub = await startHub(t)
  const network = await openBadNetwork(t, hub.endpoints)
  network.fate = (way) => (way === 'pub' ? [] : [0])
  let current = world({ fabric: { e: 1 } }, Object.fromEntries(HOSTS.map((h) => [h, ['fabric', `host/${h}`]])))
  hub.restore(1, current, [])
  const agents = HOSTS.map((host) => startAgent(t, { server: network.rpc, host }))
  for (let revision = 2; revision <= 6; revision++) {
    current = nextWorld(current, { fabric: { e: revision }, 'host/h3': { p: revision } })
    hub.publish(revision, current)
    await until(`all agents are at revision ${revision}`, () => agents.every((a) => isSynced(hub, a)))
  }
  t.deepEqual(await hub.ask('h3', { what: 'drift' }, 10_000), { ok: true, data: { asked: 'drift' } })
  t.is(network.counts.get('reply refused'), undefined)
})
