import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { IntentSet } from '../../agentd/backends/backend.ts'
import type { AttachIntent, HostIntent, LocationIntent } from '../../src/model/intent.ts'
import { makeKey } from '../../src/model/key.ts'
import { boot } from '../../src/server/boot.ts'
import { createContext } from '../../src/server/context.ts'
import type { World as ServerWorld } from '../../src/server/engine/types.ts'
import { readOnce } from '../../src/server/repo/read-once.ts'
import { frameHex } from '../agentd/backends/conformance/bytes.ts'
import { loadFakeWorld } from '../agentd/backends/conformance/fake-world.ts'
import { arpReply, arpRequest, udp } from '../agentd/backends/conformance/frames.ts'
import { loadWorld, startHost } from '../agentd/backends/conformance/real-world.ts'
import { ifaceId, macOf, portKey, type World } from '../agentd/backends/conformance/world.ts'
import { thirdParty } from './third-party.ts'

/** The sample's repository, with the port as the conformance rig plugs it. */
async function neighbourWorld(t: Parameters<typeof thirdParty>[0]): Promise<World> {
  const { repo, edit } = await thirdParty(t)
  await edit(
    'repo/dmz.yaml',
    'web-1: { network: dmz, host: h1, protected: true }',
    `a: { network: dmz, host: h1, id: ${ifaceId('a')}, mac_address: '${macOf('0a')}', fixed_ips: [{ ip_address: 10.20.0.10 }] }`,
  )
  const context = createContext(await boot(repo, { from: 'worktree' }))
  const { tree } = await readOnce(repo, { from: 'worktree' }, { loader: context.loader })
  const step = context.engine.step(context.engine.empty(), { set: [...tree.declared.values()], del: [] }, { now: 0 })
  if (step.world.findings.size > 0) throw new Error(JSON.stringify([...step.world.findings]))
  return rigWorld(step.world)
}

/** What host h1 is given, in the form of the rig's worlds. */
function rigWorld(world: ServerWorld): World {
  const scopes = [...(world.needs.get('h1')?.keys() ?? [])]
  const intents: IntentSet = new Map(scopes.map((scope) => [scope, new Map(world.scopes.get(scope)?.intents ?? [])]))
  const all = [...intents.values()].flatMap((scope) => [...scope.values()])
  const host = all.find((i): i is HostIntent => i.type === 'host')
  const attach = all.find((i): i is AttachIntent => i.type === 'attach')
  const location = all.find((i): i is LocationIntent => i.type === 'location' && i.port === portKey('a'))
  if (host === undefined || attach === undefined || location === undefined) throw new Error('h1 has no port')
  return {
    input: { hosts: { h1: {} }, networks: {}, ports: { a: { network: 'dmz', host: 'h1', tag: '0a' } } },
    hosts: [host],
    ports: new Map([['a', { attach, location }]]),
    intents: new Map([['h1', intents]]),
  }
}

const NEIGHBOUR = makeKey('static_neighbour', 'default', 'firewall')

test('a static neighbour of a third party’s plugin: the switch answers for it, and frames to it leave by the provider network alone', async (t) => {
  const world = await neighbourWorld(t)
  t.true(
    [...(world.intents.get('h1')?.values() ?? [])].some((scope) =>
      [...scope.values()].some((i) => i.type === 'location' && i.port === NEIGHBOUR),
    ),
  )
  const real = await startHost(0)
  t.teardown(() => real.close())
  const loaded = await loadWorld(world, [real])
  const fake = await loadFakeWorld(world)
  const from = { by: 'port', port: portKey('a') } as const
  const out = [{ by: 'provider', bridge: 'br-ex', vlan: 120 }] as const
  const stories = [
    ['who has its address', arpRequest('0a', '10.20.0.10', '10.20.0.254'), [from]],
    ['who has another one', arpRequest('0a', '10.20.0.10', '10.20.0.253'), out],
    ['a datagram for it', udp('0a', '10.20.0.10', 'fe', '10.20.0.254'), out],
  ] as const
  for (const [title, frame, expected] of stories) {
    t.deepEqual(await loaded.forward('h1', from, frame), [...expected], title)
    t.deepEqual(fake.forward('h1', from, frame), [...expected], `${title}, in the model`)
  }
})

test('the answer is a real packet, byte for byte', async (t) => {
  const world = await neighbourWorld(t)
  const real = await startHost(0)
  t.teardown(() => real.close())
  await loadWorld(world, [real])
  const pcap = join(real.directory, 'vm-0.pcap')
  await real.vsctl('set', 'Interface', 'vm-0', `options:tx_pcap=${pcap}`)
  await real.appctl.call('netdev-dummy/receive', 'vm-0', frameHex(arpRequest('0a', '10.20.0.10', '10.20.0.254')))
  const expected = frameHex(arpReply('fe', '10.20.0.254', '0a', '10.20.0.10'))
  let seen = ''
  for (let i = 0; i < 100 && !seen.includes(expected); i++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    seen = (await readFile(pcap)).toString('hex')
  }
  t.true(seen.includes(expected), seen)
})
