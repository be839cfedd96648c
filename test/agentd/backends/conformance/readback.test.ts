import test from 'ava'
import { observedFlowItem } from '../../../../agentd/backends/ovs/compile/build.ts'
import type { OvsValue } from '../../../../agentd/backends/ovs/compile/values.ts'
import { parseFlow } from '../../../../agentd/backends/ovs/flow/parse.ts'
import { GROUP_STORIES } from './group-stories.ts'
import { MIGRATION_STORIES } from './migration-stories.ts'
import { QOS_STORIES } from './qos-stories.ts'
import type { RealSwitch } from './real.ts'
import { loadWorld, startHost } from './real-world.ts'
import { STORIES } from './stories.ts'
import { TAP_STORIES } from './tap-stories.ts'
import { TRUNK_STORIES } from './trunk-stories.ts'
import { makeWorld } from './world.ts'

const switches: RealSwitch[] = []

test.before(async () => {
  for (const i of [0, 1, 2]) switches.push(await startHost(i))
})

test.after.always(async () => {
  await Promise.all(switches.map((s) => s.close()))
})

/** A flow that comes back written otherwise would be taken for drift at every turn. */
for (const story of [...STORIES, ...GROUP_STORIES, ...TRUNK_STORIES, ...MIGRATION_STORIES, ...QOS_STORIES, ...TAP_STORIES]) {
  test.serial(`what Open vSwitch holds reads as what was compiled: ${story.name}`, async (t) => {
    const world = makeWorld(story.world)
    const loaded = await loadWorld(world, switches)
    for (const [i, { host }] of world.hosts.entries()) {
      const dump = (await switches[i]?.ofctl('--no-stats', 'dump-flows', 'br-int')) ?? ''
      const lines = dump.split('\n').filter((line) => line.includes('actions='))
      const found = lines.map((line) => observedFlowItem([], parseFlow(line))).map((item) => `${item.key}\n${item.text}`)
      const wanted = [...(loaded.compiled.get(host)?.items.values() ?? [])]
        .filter((item) => (item.value as OvsValue).kind === 'flow')
        .map((item) => `${item.key}\n${item.text}`)
      t.true(wanted.length > 30)
      t.deepEqual(found.sort(), wanted.sort())
    }
  })
}
