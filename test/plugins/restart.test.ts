import test from 'ava'
import { assembleChosen } from '../../src/plugins/choose.ts'
import { settingsOf } from '../../src/plugins/settings.ts'
import { type Context, createContext } from '../../src/server/context.ts'
import type { World } from '../../src/server/engine/types.ts'
import { admitWorld, EMPTY_LEDGER, moveTargets } from '../../src/server/hub/ledger.ts'
import { findingsOf, write } from '../support/world.ts'

const YAML = `
site: { installation: shop }
hosts: { h1: { tunnel_ip: 192.0.2.1 } }
networks: { blue: {} }
subnets: { blue-v4: { network: blue, cidr: 10.10.0.0/24 } }
ports: { web-1: { network: blue, host: h1 } }
`

function started(choice: Parameters<typeof settingsOf>[0]): Context {
  const made = assembleChosen(settingsOf(choice), [], 'test')
  if (!made.ok) throw new Error(made.issues.map((i) => i.message).join('; '))
  return createContext(made.directory)
}

function digestOf(world: World): string | undefined {
  return moveTargets(admitWorld(EMPTY_LEDGER, 1, world), ['h1'], 1).ledger.targets.get('h1')?.digest
}

test('a server started with other plugins than those of its last revision asks the same of every host', (t) => {
  const { engine } = started({})
  const { declared } = write(YAML)
  const before = engine.step(engine.empty(), { set: declared, del: [] }, { now: 0 }).world
  const again = started({ disabled_plugins: ['tag'] }).engine.rebuild(declared, before.allocations, { now: 0 })
  t.deepEqual([...again.resources.keys()].sort(), [...before.resources.keys()].sort())
  t.is(digestOf(again), digestOf(before))
  t.not(digestOf(again), '0'.repeat(32))
  t.deepEqual(findingsOf(again), [])
})
