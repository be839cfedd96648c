import test from 'ava'
import type { Compiled } from '../../../../agentd/backends/backend.ts'
import { deliver, type Forward, type Hop } from '../../../../agentd/backends/fake/deliver.ts'
import { loadFakeWorld } from './fake-world.ts'
import { GROUP_STORIES } from './group-stories.ts'
import { MIGRATION_STORIES } from './migration-stories.ts'
import { QOS_STORIES } from './qos-stories.ts'
import type { RealSwitch } from './real.ts'
import { loadWorld, startHost } from './real-world.ts'
import { ROUTER_STORIES } from './router-stories.ts'
import { type Ask, STORIES } from './stories.ts'
import { TAP_STORIES } from './tap-stories.ts'
import { TRUNK_STORIES } from './trunk-stories.ts'
import { makeWorld, portKey, type World } from './world.ts'

const switches: RealSwitch[] = []

test.before(async () => {
  for (const i of [0, 1, 2]) switches.push(await startHost(i))
})

test.after.always(async () => {
  await Promise.all(switches.map((s) => s.close()))
})

for (const story of [
  ...STORIES,
  ...GROUP_STORIES,
  ...TRUNK_STORIES,
  ...MIGRATION_STORIES,
  ...QOS_STORIES,
  ...TAP_STORIES,
  ...ROUTER_STORIES,
]) {
  test.serial(`model switch: ${story.name}`, async (t) => {
    const world = makeWorld(story.world)
    const fake = await loadFakeWorld(world)
    for (const ask of story.asks) t.deepEqual(await answer(world, fake.forward, ask), ask.reaches, ask.says)
  })

  test.serial(`Open vSwitch: ${story.name}`, async (t) => {
    const world = makeWorld(story.world)
    const fake = await loadFakeWorld(world)
    const real = await loadWorld(world, switches)
    await real.forget()
    t.deepEqual(states(real.compiled), states(fake.compiled))
    for (const ask of story.asks) {
      const reached = await answer(world, real.forward, ask)
      const [first] = hopsOf(world, ask)
      const trace = same(reached, ask.reaches) || first === undefined ? '' : await real.text(first.host, first.arrival, ask.frame)
      t.deepEqual(reached, ask.reaches, `${ask.says}\n${trace}`)
    }
  })
}

/** Port names, sorted. */
async function answer(world: World, forward: Forward, ask: Ask): Promise<readonly string[]> {
  const reached: string[] = []
  for (const { host, arrival, frame } of hopsOf(world, ask))
    reached.push(...(await deliver({ hosts: world.hosts }, forward, host, arrival, frame)))
  return reached.map((key) => key.replace('port/default/', '')).sort()
}

/** Where the frame first comes into a host. */
function hopsOf(world: World, { from, frame }: Ask): readonly Hop[] {
  if (typeof from === 'string') {
    return [{ host: world.input.ports[from]?.host ?? '', arrival: { by: 'port', port: portKey(from) }, frame }]
  }
  if ('host' in from) return [{ host: from.host, arrival: { by: 'tunnel', type: from.type, key: from.key, from: from.address }, frame }]
  return world.hosts.flatMap(({ host, bridge_mappings }) => {
    const bridge = bridge_mappings[from.wire]
    return bridge === undefined ? [] : [{ host, arrival: { by: 'provider', bridge }, frame }]
  })
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.join() === b.join()
}

/** What each backend says of each resource, without its words. */
function states(compiled: ReadonlyMap<string, Compiled>): unknown {
  return [...compiled].sort().map(([host, c]) => [host, [...c.verdicts].map(([key, v]) => `${key} ${v.state}`).sort()])
}
