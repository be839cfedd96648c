import test from 'ava'
import type { Item } from '../../../../../agentd/backends/backend.ts'
import { createOvsCompiler } from '../../../../../agentd/backends/ovs/compile/compile.ts'
import { GROUP_STORIES } from '../../conformance/group-stories.ts'
import { makeWorld, type PortInput, type WorldInput } from '../../conformance/world.ts'

const WORLD = GROUP_STORIES[0]?.world as WorldInput

/** Every port plugged. */
function compiled(world: WorldInput, host: string): ReadonlyMap<string, Item> {
  const made = makeWorld(world)
  const interfaces = Object.fromEntries(
    [...made.ports].map(([name, { attach }], i) => [
      `tap-${name}`,
      { bridge: 'br-int', ofport: i + 1, iface_id: attach.id, attached_mac: attach.mac, type: '', ours: false },
    ]),
  )
  const facts = { datapath_type: 'netdev', version: '3.1.0', capabilities: [], interfaces, bridges: [] }
  const intents = made.intents.get(host) ?? new Map()
  return createOvsCompiler().compile({ host, installation: 'test', intents, facts, allocations: {} }).items
}

/** Keys of flows that one has and the other has not, or has otherwise. */
function changed(
  before: ReadonlyMap<string, Item>,
  after: ReadonlyMap<string, Item>,
): { readonly more: string[]; readonly altered: string[] } {
  const flows = [...after].filter(([key]) => key.startsWith('flow '))
  return {
    more: flows.filter(([key]) => !before.has(key)).map(([key]) => key.replace('flow br-int ', '')),
    altered: flows
      .filter(([key, item]) => before.has(key) && before.get(key)?.text !== item.text)
      .map(([key]) => key.replace('flow br-int ', '')),
  }
}

function withPort(name: string, port: PortInput): WorldInput {
  return { ...WORLD, ports: { ...WORLD.ports, [name]: port } }
}

test('one member more, somewhere else: a flow for each of its addresses, however many rules and ports ask', (t) => {
  const far: PortInput = { network: 'elsewhere', tag: '7a', ips: ['10.9.0.7', '2001:db8:9::7'], groups: ['default'] }
  const world = withPort('far', far)
  const networks = { ...world.networks, elsewhere: { type: 'local' as const } }
  t.deepEqual(changed(compiled(WORLD, 'h1'), compiled({ ...world, networks }, 'h1')), {
    more: ['ingress_rules 50 ip,nw_src=10.9.0.7', 'ingress_rules 50 ipv6,ipv6_src=2001:db8:9::7'],
    altered: [],
  })
})

test('one rule more: a flow for each block of its ports, however many ports are in the group', (t) => {
  const web = WORLD.groups?.['web']
  const rules = [
    ...(web?.rules ?? []),
    { direction: 'ingress' as const, ethertype: 'IPv6' as const, protocol: 6, ports: { first: 80, last: 81 } },
  ]
  const { more, altered } = changed(compiled(WORLD, 'h1'), compiled({ ...WORLD, groups: { ...WORLD.groups, web: { rules } } }, 'h1'))
  t.regex(more.join(), /^ingress_rules 60 tcp6,reg7=0x[0-9a-f]+\/0xffff0000,tp_dst=0x50\/0xfffe$/)
  t.deepEqual(altered, [])
})

test('what a port of the default group costs on its host', (t) => {
  const more = changed(
    compiled(WORLD, 'h1'),
    compiled(withPort('n', { network: 'blue', host: 'h1', tag: '7a', ips: ['10.0.0.50', '2001:db8:5::50'], groups: ['default'] }), 'h1'),
  ).more
  t.log(`${more.length} flows, all tables:\n${more.join('\n')}`)
  t.true(more.length <= 15)
  t.is(
    more.filter((key) => /^(?:egress|ingress)\w* /.test(key)).length,
    3,
    'for its groups: where it is reached, and its two addresses as a member',
  )
})
