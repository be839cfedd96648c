import type { Compiled, Facts, InterfaceFact } from '../../../../agentd/backends/backend.ts'
import { createFakeBackend } from '../../../../agentd/backends/fake/backend.ts'
import type { Arrival, Departure, Frame } from '../../../../agentd/backends/fake/frame.ts'
import { hostsOf } from '../../../../src/model/intent.ts'
import { BRIDGES } from './real-world.ts'
import { ifaceId, macOf, type World } from './world.ts'

/** The same world in model switches. */
export interface FakeWorld {
  forward(host: string, arrival: Arrival, frame: Frame): readonly Departure[]
  readonly compiled: ReadonlyMap<string, Compiled>
  forget(): void
}

export async function loadFakeWorld(world: World): Promise<FakeWorld> {
  const backend = createFakeBackend()
  const compiled = new Map<string, Compiled>()
  for (const { host } of world.hosts) {
    const at = backend.switchOf(host)
    const driver = await backend.open({ host, installation: 'test', rundir: '', log: () => {} })
    at.setBridges(BRIDGES)
    for (const [name, { attach, location }] of world.ports) {
      if (!hostsOf(location).includes(host) || attach.plug.by === 'agent' || isUnplugged(name, world)) continue
      at.plug(`vm-${name}`, factOf(name, world))
    }
    const facts: Facts = driver.facts()
    const intents = world.intents.get(host) ?? new Map()
    const result = backend.compiler.compile({ host, installation: 'test', intents, facts, allocations: {} })
    await driver.apply({ add: [...result.items.values()], change: [], remove: [] })
    compiled.set(host, result)
  }
  return {
    compiled,
    forward: (host, arrival, frame) => backend.switchOf(host).forward(arrival, frame),
    forget() {
      for (const { host } of world.hosts) backend.switchOf(host).forget()
    },
  }
}

/** Subports never have an interface. */
export function isUnplugged(name: string, { input }: World): boolean {
  const port = input.ports[name]
  return port?.unplugged === true || port?.inside !== undefined
}

function factOf(name: string, world: World): InterfaceFact {
  return {
    bridge: 'br-int',
    type: '',
    ours: false,
    ofport: 1,
    iface_id: ifaceId(name),
    attached_mac: macOf(world.input.ports[name]?.tag ?? ''),
  }
}
