import test from 'ava'
import fc from 'fast-check'
import type { AllocationTable, Compiled, Facts, IntentSet, Item } from '../../../../../agentd/backends/backend.ts'
import { createOvsCompiler } from '../../../../../agentd/backends/ovs/compile/compile.ts'
import type { OvsValue } from '../../../../../agentd/backends/ovs/compile/values.ts'
import { formatFlow } from '../../../../../agentd/backends/ovs/flow/format.ts'
import { parseFlow } from '../../../../../agentd/backends/ovs/flow/parse.ts'
import { worlds } from '../../conformance/arbitrary.ts'
import { ifaceId, macOf, makeWorld, type WorldInput } from '../../conformance/world.ts'

type Text = ReadonlyMap<string, string>

function factsOf(input: WorldInput, shift = 0): Facts {
  const plugged = Object.entries(input.ports).filter(([, p]) => p.host === 'h1' && p.unplugged !== true)
  const interfaces = plugged.map(([name, p], i) => [
    `vm-${name}`,
    { bridge: 'br-int', type: '', ours: false, ofport: 1 + i + shift, iface_id: ifaceId(name), attached_mac: macOf(p.tag) },
  ])
  return {
    datapath_type: 'netdev',
    version: '3.1.0',
    capabilities: [],
    interfaces: Object.fromEntries(interfaces),
    bridges: ['br-ex', 'br-provider-two'],
  }
}

function compiled(input: WorldInput, allocations: AllocationTable = {}, compiler = createOvsCompiler(), facts = factsOf(input)): Compiled {
  const intents = makeWorld(input).intents.get('h1') ?? new Map()
  return compiler.compile({ host: 'h1', installation: 'test', intents, facts, allocations })
}

function texts(items: ReadonlyMap<string, Item>): Text {
  return new Map([...items].map(([key, item]) => [key, item.text] as const).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Keys that differ: `+` new, `-` gone, `~` changed. */
function changes(before: Text, after: Text): string[] {
  const out: string[] = []
  for (const [key, text] of after) if (before.get(key) !== text) out.push(`${before.has(key) ? '~' : '+'} ${key}`)
  for (const key of before.keys()) if (!after.has(key)) out.push(`- ${key}`)
  return out.sort()
}

function reversed(intents: IntentSet): IntentSet {
  return new Map([...intents].reverse().map(([scope, held]) => [scope, new Map([...held].reverse())]))
}

test('the order of the intents does not count', (t) => {
  fc.assert(
    fc.property(worlds, (input) => {
      const intents = makeWorld(input).intents.get('h1') ?? new Map()
      const one = createOvsCompiler().compile({ host: 'h1', installation: 'test', intents, facts: factsOf(input), allocations: {} })
      const two = createOvsCompiler().compile({
        host: 'h1',
        installation: 'test',
        intents: reversed(intents),
        facts: factsOf(input),
        allocations: {},
      })
      t.deepEqual(changes(texts(one.items), texts(two.items)), [])
      t.deepEqual(two.allocations, one.allocations)
      t.deepEqual(new Map([...two.verdicts].sort()), new Map([...one.verdicts].sort()))
    }),
    { numRuns: 60 },
  )
})

test('from A to B and back: every row and flow is as before', (t) => {
  fc.assert(
    fc.property(worlds, worlds, (a, b) => {
      const first = compiled(a)
      const between = compiled(b, first.allocations)
      t.deepEqual(changes(texts(first.items), texts(compiled(a, between.allocations).items)), [])
    }),
    { numRuns: 60 },
  )
})

test('a compiler that remembers says what a new one says', (t) => {
  fc.assert(
    fc.property(fc.array(worlds, { minLength: 2, maxLength: 4 }), (inputs) => {
      const old = createOvsCompiler()
      let allocations: AllocationTable = {}
      for (const input of inputs) {
        const world = makeWorld(input)
        const intents = world.intents.get('h1') ?? new Map()
        for (const shift of [0, 7]) {
          const given = { host: 'h1', installation: 'test', intents, facts: factsOf(input, shift), allocations }
          const remembered = old.compile(given)
          t.deepEqual(changes(texts(createOvsCompiler().compile(given).items), texts(remembered.items)), [])
          allocations = remembered.allocations
        }
      }
    }),
    { numRuns: 30 },
  )
})

test('the text of every flow is the canonical one, and reads back as the same flow', (t) => {
  fc.assert(
    fc.property(worlds, (input) => {
      for (const item of compiled(input).items.values()) {
        const value = item.value as OvsValue
        if (value.kind !== 'flow') continue
        t.is(item.text, formatFlow(value.flow))
        t.is(formatFlow(parseFlow(item.text)), item.text)
      }
    }),
    { numRuns: 40 },
  )
})

const BASE: WorldInput = {
  hosts: { h1: { tunnel_ip: '192.0.2.1' }, h2: { tunnel_ip: '192.0.2.2' }, h3: { tunnel_ip: '192.0.2.3' } },
  networks: { blue: { type: 'vxlan', id: 100 }, red: { type: 'vxlan', id: 101 } },
  ports: {
    a: { network: 'blue', host: 'h1', tag: '0a', ips: ['10.0.0.10', '2001:db8:5::a'] },
    b: { network: 'blue', host: 'h1', tag: '0b', ips: ['10.0.0.11', '2001:db8:5::b'] },
    c: { network: 'blue', host: 'h2', tag: '0c', ips: ['10.0.0.12', '2001:db8:5::c'] },
  },
}

test('a port plugged anew: the way in and the way out change, nothing else', (t) => {
  const before = compiled(BASE)
  const facts = factsOf(BASE)
  const moved = { ...facts, interfaces: { ...facts.interfaces, 'vm-a': { ...facts.interfaces['vm-a'], ofport: 77 } } } as Facts
  t.deepEqual(changes(texts(before.items), texts(compiled(BASE, before.allocations, createOvsCompiler(), moved).items)), [
    '+ flow br-int classify 100 in_port=77,vlan_tci=0x0000/0x1fff',
    '- flow br-int classify 100 in_port=1,vlan_tci=0x0000/0x1fff',
    '~ flow br-int output 50 reg2=0x10b799aa',
  ])
})

test('one more port on a host that has the network: its addresses, nothing else', (t) => {
  const before = compiled(BASE)
  const more = { ...BASE, ports: { ...BASE.ports, d: { network: 'blue', host: 'h2', tag: '0d', ips: ['10.0.0.13', '2001:db8:5::d'] } } }
  t.deepEqual(changes(texts(before.items), texts(compiled(more, before.allocations).items)), [
    '+ flow br-int l2 50 metadata=0xf45da6,dl_dst=02:00:00:00:00:0d',
    '+ flow br-int respond_arp 50 arp,metadata=0xf45da6,arp_tpa=10.0.0.13,arp_op=1',
    '+ flow br-int respond_nd 50 icmp6,metadata=0xf45da6,icmp_type=135,nd_target=2001:db8:5::d',
    '+ flow br-int respond_nd 50 icmp6,metadata=0xf45da6,icmp_type=135,nd_target=fe80::ff:fe00:d',
  ])
})

test('the first port on another host: besides, the way to that host', (t) => {
  const before = compiled(BASE)
  const more = { ...BASE, ports: { ...BASE.ports, d: { network: 'blue', host: 'h3', tag: '0d', ips: ['10.0.0.13'] } } }
  t.deepEqual(changes(texts(before.items), texts(compiled(more, before.allocations).items)), [
    '+ flow br-int classify 90 tun_id=0x64,tun_src=192.0.2.3,in_port=36538,vlan_tci=0x0000/0x1fff',
    '+ flow br-int l2 50 metadata=0xf45da6,dl_dst=02:00:00:00:00:0d',
    '+ flow br-int respond_arp 50 arp,metadata=0xf45da6,arp_tpa=10.0.0.13,arp_op=1',
    '+ flow br-int respond_nd 50 icmp6,metadata=0xf45da6,icmp_type=135,nd_target=fe80::ff:fe00:d',
    '+ flow br-int tunnel_peer 50 reg2=0x401d3419',
    '~ flow br-int flood_part 50 reg0=0x40000000/0xffff0000,metadata=0xf45da6',
  ])
})

test('a network that no port here is on changes nothing', (t) => {
  const before = compiled(BASE)
  const more = { ...BASE, ports: { ...BASE.ports, d: { network: 'red', host: 'h2', tag: '0d', ips: ['10.0.0.13'] } } }
  t.deepEqual(changes(texts(before.items), texts(compiled(more, before.allocations).items)), [])
})

test('a tunnel port is there only while a network of the host needs it', (t) => {
  const rows = (input: WorldInput): string[] => [...compiled(input).items.keys()].filter((key) => key.startsWith('row Interface'))
  t.deepEqual(rows(BASE), ['row Interface nl-vxlan'])
  t.deepEqual(rows({ ...BASE, ports: { c: { network: 'blue', host: 'h2', tag: '0c' } } }), [])
})

test('five hundred hosts and ports: no flow grows with them', (t) => {
  const hosts = Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`h${i + 1}`, { tunnel_ip: `192.0.${i >> 8}.${(i & 255) + 1}` }]))
  const ports = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [
      [`l${i}`, { network: 'blue', host: 'h1', tag: '0a', ips: [`10.1.${i >> 8}.${i & 255}`] }],
      [`r${i}`, { network: 'blue', host: `h${i + 2}`, tag: '0b', ips: [`10.2.${i >> 8}.${i & 255}`] }],
    ]).flat() as [string, WorldInput['ports'][string]][],
  )
  const flows = [...compiled({ hosts, networks: BASE.networks, ports }).items.values()]
    .map((item) => item.value as OvsValue)
    .flatMap((v) => (v.kind === 'flow' ? [v.flow] : []))
  t.true(flows.filter((f) => f.table === 75).length >= 16)
  // OVS 3.1 refuses a flow mod over 64 kB: about 1,300 tunnels. Chunks are of 48 on average.
  t.true(Math.max(...flows.map((f) => f.actions.length)) < 250)
})
