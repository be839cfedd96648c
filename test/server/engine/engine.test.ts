import test from 'ava'
import type { KindDefinition } from '../../../src/kinds/kind.ts'
import { NOTHING } from '../../../src/kinds/kind.ts'
import type { Key } from '../../../src/model/key.ts'
import { createEngine } from '../../../src/server/engine/engine.ts'
import { issuesOf } from '../../../src/server/engine/issues.ts'
import type { Locate, World } from '../../../src/server/engine/types.ts'
import { kinds } from '../../support/kinds.ts'
import { build, engine, findingsOf, spec, write } from '../../support/world.ts'

const DAY = 24 * 60 * 60 * 1000

/** The world after a document: resources of it are set, those in `del` go. */
function next(world: World, yaml: string, options: { readonly del?: readonly string[]; readonly day?: number } = {}): World {
  const { declared, findings } = write(yaml)
  if (findings.length > 0) throw new Error(findings.join('\n'))
  return engine.step(world, { set: declared, del: (options.del ?? []) as Key[] }, { now: (options.day ?? 0) * DAY }).world
}

const addresses = (world: World, port: string): unknown =>
  (spec(world, 'port', port)?.['fixed_ips'] as { ip_address: string }[] | undefined)?.map((f) => f.ip_address).join(' ')

const SMALL = 'networks: { n: {} }\nsubnets: { s: { network: n, cidr: 10.0.0.0/29 } }\n'

test('a deleted port keeps its address for 30 days, and gets it back', (t) => {
  const before = build(`${SMALL}ports: { a: { network: n }, b: { network: n } }`)
  const gone = next(before, '', { del: ['port/default/a'], day: 1 })
  const holding = [...gone.allocations.held.values()].find((h) => h.owner === 'port/default/a' && h.pool === 'ip:subnet/default/s')
  t.like(holding, { source: 'reserved', releasedAt: DAY, value: addresses(before, 'a') })
  const others = next(gone, 'ports: { c: { network: n }, d: { network: n }, e: { network: n } }', { day: 2 })
  t.deepEqual(findingsOf(others), [])
  t.false(['c', 'd', 'e'].some((p) => addresses(others, p) === addresses(before, 'a')))
  t.is(addresses(next(others, 'ports: { a: { network: n } }', { day: 29 }), 'a'), addresses(before, 'a'))
})

test('a full pool takes the value that is reserved the longest', (t) => {
  const full = build(`${SMALL}ports: { a: { network: n }, b: { network: n }, c: { network: n }, d: { network: n }, e: { network: n } }`)
  t.deepEqual(findingsOf(full), [])
  const later = next(next(full, '', { del: ['port/default/b'], day: 1 }), '', { del: ['port/default/a'], day: 2 })
  const taken = next(later, 'ports: { f: { network: n } }', { day: 3 })
  t.is(addresses(taken, 'f'), addresses(full, 'b'))
  t.is(addresses(next(taken, 'ports: { g: { network: n } }', { day: 3 }), 'g'), addresses(full, 'a'))
})

test('after 30 days a reserved value is free like any other', (t) => {
  // Both ports want the same place: the first of two that hash alike is found by trying.
  const one = (name: string) =>
    addresses(build(`networks: { n: {} }\nsubnets: { s: { network: n, cidr: 10.0.0.0/28 } }\nports: { ${name}: { network: n } }`), name)
  const twin = Array.from({ length: 500 }, (_, i) => `x${i}`).find((name) => one(name) === one('a')) ?? t.fail('no twin')
  const WIDE = 'networks: { n: {} }\nsubnets: { s: { network: n, cidr: 10.0.0.0/28 } }\n'
  const gone = next(build(`${WIDE}ports: { a: { network: n } }`), '', { del: ['port/default/a'], day: 0 })
  t.not(addresses(next(gone, `ports: { ${twin}: { network: n } }`, { day: 29 }), String(twin)), one('a'))
  t.is(addresses(next(gone, `ports: { ${twin}: { network: n } }`, { day: 30 }), String(twin)), one('a'))
})

test('who chose one value, then two, then one again, has the first one back', (t) => {
  const numbers = (world: World, name: string): number[] =>
    ((spec(world, 'network', name)?.['segments'] ?? []) as { segmentation_id: number }[]).map((s) => s.segmentation_id)
  let lower = 0
  for (let i = 0; i < 20; i++) {
    const one = `networks: { n${i}: { segments: [{ network_type: vxlan }] } }`
    const first = build(one)
    const two = next(first, `networks: { n${i}: { segments: [{ network_type: vxlan, name: x }, { network_type: vxlan, name: y }] } }`)
    t.deepEqual(findingsOf(two), [])
    const [chosen = 0] = numbers(first, `n${i}`)
    t.true(numbers(two, `n${i}`).includes(chosen))
    if (Math.min(...numbers(two, `n${i}`)) < chosen) lower++
    t.deepEqual(numbers(next(two, one), `n${i}`), [chosen])
  }
  t.true(lower > 2, 'in some the first value is not the lowest')
})

test('a host needs what its ports can reach through routers, and no more', (t) => {
  const base = [
    'hosts: { h1: { tunnel_ip: 192.0.2.1 }, h2: { tunnel_ip: 192.0.2.2 } }',
    'networks: { a: {}, b: {}, c: {}, d: {} }',
    'subnets: { a: { network: a, cidr: 10.1.0.0/24 }, b: { network: b, cidr: 10.2.0.0/24 }, c: { network: c, cidr: 10.3.0.0/24 } }',
    'ports: { p: { network: a, host: h1 }, q: { network: d, host: h2 }, gate: { network: b } }',
  ].join('\n')
  const first = 'routers: { r1: { interfaces: [{ subnet: a }, { subnet: b }] } }'
  const second = 'routers: { r2: { interfaces: [{ port: gate }, { subnet: c }] } }'
  const scopes = (world: World, host: string): string =>
    [...(world.needs.get(host)?.keys() ?? [])]
      .filter((s) => /^(net|router)/.test(s))
      .sort()
      .join(' ')
  const alone = build(base)
  t.is(scopes(alone, 'h1'), 'net/default/a')
  const behind = next(alone, second)
  t.is(scopes(behind, 'h1'), 'net/default/a')
  const both = next(behind, first)
  t.deepEqual(findingsOf(both), [])
  t.is(scopes(both, 'h1'), 'net/default/a net/default/b net/default/c router/default/r1 router/default/r2')
  t.is(scopes(both, 'h2'), 'net/default/d')
  const moved = next(both, 'ports: { p: { network: a, host: h2 } }')
  t.is(scopes(moved, 'h1'), '')
  t.is(scopes(moved, 'h2'), 'net/default/a net/default/b net/default/c net/default/d router/default/r1 router/default/r2')
  t.is(scopes(next(both, '', { del: ['router/default/r1'] }), 'h1'), 'net/default/a')
  t.is(scopes(next(both, '', { del: ['router/default/r2'] }), 'h1'), 'net/default/a net/default/b router/default/r1')
  t.is(scopes(next(both, '', { del: ['port/default/p'] }), 'h1'), '')
})

test('a full pool heals when somebody leaves', (t) => {
  const full = build(
    `networks: { n: {} }\nsubnets: { s: { network: n, cidr: 10.0.0.0/30 } }\nports: { a: { network: n }, b: { network: n } }`,
  )
  t.is(findingsOf(full).length, 1)
  const healed = next(full, '', { del: ['port/default/a'] })
  t.deepEqual(findingsOf(healed), [])
  t.is(addresses(healed, 'b'), '10.0.0.2')
})

test('what is written comes before what is chosen, and who has a value keeps it', (t) => {
  const chosen = addresses(build(`${SMALL}ports: { b: { network: n } }`), 'b')
  const together = build(`${SMALL}ports: { b: { network: n }, z: { network: n, fixed_ips: [{ ip_address: ${chosen} }] } }`)
  t.deepEqual(findingsOf(together), [])
  t.is(addresses(together, 'z'), chosen)
  const late = next(build(`${SMALL}ports: { b: { network: n } }`), `ports: { a: { network: n, fixed_ips: [{ ip_address: ${chosen} }] } }`)
  t.deepEqual(findingsOf(late), [
    `E0224 port a fixed_ips.0.ip_address: ip_address ${chosen} of port a is in use on subnet s: port b got it automatically (port/default/b: port b got it automatically) → write another address, or leave it out to get a free one`,
  ])
  t.is(addresses(late, 'b'), chosen)
})

test('two ports swap their addresses in one change', (t) => {
  const ports = (a: string, b: string) =>
    `ports: { a: { network: n, fixed_ips: [{ ip_address: ${a} }] }, b: { network: n, fixed_ips: [{ ip_address: ${b} }] } }`
  const swapped = next(build(`${SMALL}${ports('10.0.0.2', '10.0.0.3')}`), ports('10.0.0.3', '10.0.0.2'))
  t.deepEqual(findingsOf(swapped), [])
  t.deepEqual([addresses(swapped, 'a'), addresses(swapped, 'b')], ['10.0.0.3', '10.0.0.2'])
})

test('a swap with a line that was not written is taken back by taking back the change, whichever of the two comes first', (t) => {
  const written = (port: string, ip: string) => `${port}: { network: n, fixed_ips: [{ ip_address: ${ip} }] }`
  for (const [free, tied] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    for (const mac of ['', 'mac_address: "02:00:00:00:00:09", ']) {
      const chosen = String(addresses(build(`${SMALL}ports: { ${free}: { network: n } }`), free))
      const other = chosen === '10.0.0.3' ? '10.0.0.4' : '10.0.0.3'
      const first = `ports: { ${free}: { ${mac}network: n }, ${written(tied, other)} }`
      const before = build(`${SMALL}${first}`)
      t.deepEqual([addresses(before, free), addresses(before, tied)], [chosen, other])
      const swapped = next(before, `ports: { ${written(free, other)}, ${written(tied, chosen)} }`)
      t.deepEqual(findingsOf(swapped), [])
      const back = next(swapped, first)
      t.deepEqual(findingsOf(back), [])
      t.deepEqual([...back.resources], [...before.resources])
    }
  }
})

test('a line that goes leaves the address where it was', (t) => {
  const written = build(`${SMALL}ports: { a: { network: n, fixed_ips: [{ ip_address: 10.0.0.6 }] } }`)
  t.is(addresses(next(written, 'ports: { a: { network: n } }'), 'a'), '10.0.0.6')
})

test('a pool that shrinks renumbers nobody', (t) => {
  const wide = build(`${SMALL}ports: { a: { network: n }, b: { network: n }, c: { network: n } }`)
  const narrow = next(wide, 'subnets: { s: { network: n, cidr: 10.0.0.0/29, allocation_pools: [{ start: 10.0.0.6, end: 10.0.0.6 }] } }')
  for (const port of ['a', 'b', 'c']) t.is(addresses(narrow, port), addresses(wide, port))
  const vni = spec(wide, 'network', 'n')?.['segmentation_id']
  t.is(
    spec(next(wide, 'site: { vni_ranges: [{ from: 1, to: 9 }], base_mac: "02:00:00:00:00:00" }'), 'network', 'n')?.['segmentation_id'],
    vni,
  )
})

const LOCATE: Locate = (key, at) => (key.includes('blue') ? undefined : { file: `${key}.yaml`, line: at.length + 1, col: 1 })

test('a network that goes while ports use it is told on the ports’ lines', (t) => {
  const base = build('networks: { blue: {}, red: {} }\nports: { web-1: { network: blue }, web-2: { network: blue } }')
  const world = next(base, '', { del: ['network/default/blue'] })
  t.deepEqual(issuesOf(world, LOCATE, base), [
    {
      code: 'E0311',
      severity: 'error',
      message: 'port web-1 still uses network blue, which this change removes',
      place: { file: 'port/default/web-1.yaml', line: 2, col: 1 },
      hint: 'remove port web-1 too, or keep network blue',
    },
    {
      code: 'E0311',
      severity: 'error',
      message: 'port web-2 still uses network blue, which this change removes',
      place: { file: 'port/default/web-2.yaml', line: 2, col: 1 },
      hint: 'remove port web-2 too, or keep network blue',
    },
  ])
  t.deepEqual(
    issuesOf(world, LOCATE).map((i) => i.code),
    ['E0300', 'E0300'],
  )
  t.deepEqual(findingsOf(next(world, 'networks: { blue: {} }')), [])
})

test('a name that exists in another project is pointed to', (t) => {
  const world = build(
    'project: shop\nnetworks: { blue: { shared: true } }',
    'ports: { p: { network: blue }, q: { network: shop/bleu }, r: { network: shop/blue } }',
  )
  t.deepEqual(
    issuesOf(world, () => undefined).map((i) => `${i.message} → ${i.hint}`),
    [
      'port p uses network blue, which does not exist → network blue exists in project shop: write shop/blue',
      'port q uses network shop/bleu, which does not exist → did you mean shop/blue?',
    ],
  )
})

test('a suggestion changes with what exists', (t) => {
  const world = build('networks: { other: {} }\nports: { p: { network: blue } }')
  t.regex(findingsOf(world)[0] ?? '', /declare it, or name one that exists$/)
  t.regex(findingsOf(next(world, 'networks: { bleu: {} }'))[0] ?? '', /did you mean bleu\?$/)
})

/** The same kinds, counting who is looked at. */
function counting(): { readonly kinds: readonly KindDefinition[]; readonly calls: string[] } {
  const calls: string[] = []
  const counted = kinds.map(
    (kind): KindDefinition => ({
      ...kind,
      resolve: (resource, view, pools) => {
        calls.push(`resolve ${resource.key}`)
        return kind.resolve(resource, view, pools)
      },
      lower: (resource, view) => {
        calls.push(`lower ${resource.key}`)
        return kind.lower(resource, view)
      },
    }),
  )
  return { kinds: counted, calls }
}

const town = (ports: number): string => {
  const lines = [
    'networks: { n0: {}, n1: {}, n2: {} }',
    'hosts: { h1: { tunnel_ip: 192.0.2.1 }, h2: { tunnel_ip: 192.0.2.2 } }',
    'subnets:',
  ]
  for (const n of [0, 1, 2]) lines.push(`  s${n}: { network: n${n}, cidr: 10.${n}.0.0/20 }`)
  lines.push('ports:')
  for (let p = 0; p < ports; p++) lines.push(`  p${p}: { network: n${p % 3}, host: h${(p % 2) + 1} }`)
  return lines.join('\n')
}

test('only what a change reaches is looked at', (t) => {
  const { kinds: counted, calls } = counting()
  const small = createEngine(counted)
  const world = small.step(small.empty(), { set: write(town(300)).declared, del: [] }, { now: 0 }).world
  const after = (yaml: string, del: string[] = []): string[] => {
    calls.length = 0
    small.step(world, { set: write(yaml).declared, del: del as Key[] }, { now: 0 })
    return [...calls].sort()
  }
  t.deepEqual(after('ports: { new: { network: n0, host: h1 } }'), ['lower port/default/new', 'resolve port/default/new'])
  t.deepEqual(after('', ['port/default/p7']), [])
  t.deepEqual(after('networks: { another: {} }'), ['lower network/default/another', 'resolve network/default/another'])
  t.is(after('networks: { n0: { description: x } }').filter((c) => c.startsWith('resolve port')).length, 100)
  t.is(after('hosts: { h3: { tunnel_ip: 192.0.2.3 } }').filter((c) => c.includes('port')).length, 0)
  // Mentioning the default changes nothing, so it wakes nobody.
  t.deepEqual(after('networks: { n0: { admin_state_up: true } }'), ['lower network/default/n0', 'resolve network/default/n0'])
})

test('steps name the scopes and hosts they touch', (t) => {
  const world = build(town(30))
  const step = engine.step(world, { set: write('ports: { new: { network: n0, host: h1 } }').declared, del: [] }, { now: 0 })
  t.deepEqual([...step.touchedScopes].sort(), ['host/h1', 'members/default/default', 'net/default/n0'])
  t.deepEqual([...step.touchedHosts].sort(), ['h1', 'h2'])
  t.deepEqual([...step.touched], ['port/default/new'])
  t.deepEqual([...step.touchedSlots].map((s) => s.replace(/\|.*/, '')).sort(), ['ip:subnet/default/s0', 'mac:network/default/n0'])
  const alone = build(town(1))
  t.deepEqual([...(alone.needs.get('h1')?.keys() ?? [])].sort(), [
    'fabric',
    'host/h1',
    'members/default/default',
    'net/default/n0',
    'sg/default/default',
  ])
  t.deepEqual([...(alone.needs.get('h2')?.keys() ?? [])].sort(), ['fabric', 'host/h2'])
})

test('a footprint tells what was read and what came of it', (t) => {
  const world = build(town(1))
  const footprint = engine.footprint(world, 'port/default/p0' as Key)
  t.deepEqual([...(footprint?.reads ?? [])].sort(), [
    'host/h1',
    'network/default/n0',
    'security_group/default/default',
    'subnet/default/s0',
  ])
  t.deepEqual(footprint?.lowered.intents.map((i) => `${i.scope} ${i.key}`).sort(), [
    'host/h1 attach port/default/p0',
    'members/default/default member port/default/p0',
    'net/default/n0 location port/default/p0',
  ])
  t.is(engine.footprint(world, 'port/default/none' as Key), undefined)
})

test('intents of a port', (t) => {
  const world = build(
    "hosts: { h1: { tunnel_ip: 192.0.2.1 } }\nnetworks: { n: { segmentation_id: 7, network_type: vxlan } }\nsubnets: { s: { network: n, cidr: 10.0.0.0/24 }, t: { network: n, cidr: 'fd00::/64' } }\nports:\n  p: { network: n, host: h1, id: 11111111-2222-3333-4444-555555555555, mac_address: 'fa:16:3e:00:00:01', fixed_ips: [{ ip_address: 10.0.0.5 }, { ip_address: 'fd00::5' }], allowed_address_pairs: [{ ip_address: 10.0.0.5 }, { ip_address: 10.0.0.64/28, mac_address: 'fa:16:3e:00:00:02' }], plug: { type: veth, netns: web } }",
  )
  const intents = engine.footprint(world, 'port/default/p' as Key)?.lowered.intents.map((i) => i.intent)
  t.deepEqual(intents, [
    {
      type: 'location',
      port: 'port/default/p' as Key,
      network: 'network/default/n' as Key,
      host: 'h1',
      mac: 'fa:16:3e:00:00:01',
      other_macs: ['fa:16:3e:00:00:02'],
      ips: ['10.0.0.5', 'fd00::5'],
      port_security_enabled: true,
      admin_state_up: true,
    },
    {
      type: 'member',
      group: 'security_group/default/default' as Key,
      port: 'port/default/p' as Key,
      prefixes: ['10.0.0.5/32', '10.0.0.64/28', 'fd00::5/128'],
    },
    {
      type: 'attach',
      port: 'port/default/p' as Key,
      id: '11111111-2222-3333-4444-555555555555',
      network: 'network/default/n' as Key,
      mac: 'fa:16:3e:00:00:01',
      admin_state_up: true,
      mtu: 1450,
      plug: { by: 'agent', type: 'veth', interface: 'nl-11111111222', netns: 'web', guest_interface: 'eth0' },
      port_security_enabled: true,
      allowed: [
        { mac: 'fa:16:3e:00:00:01', prefix: '10.0.0.5/32' },
        { mac: 'fa:16:3e:00:00:01', prefix: 'fd00::5/128' },
        { mac: 'fa:16:3e:00:00:02', prefix: '10.0.0.64/28' },
      ],
      addresses: ['10.0.0.5/24', 'fd00::5/64'],
      security_groups: ['security_group/default/default' as Key],
    },
  ])
})

const toy = (name: string, after: readonly string[], change: Partial<KindDefinition> = {}): KindDefinition => ({
  kind: name,
  collection: `${name}s`,
  scope: 'project',
  summary: '',
  schema: {},
  after,
  normalise: (s) => ({ spec: s, findings: [] }),
  references: () => [],
  check: () => [],
  resolve: (resource) => ({ spec: resource.spec, findings: [] }),
  lower: () => NOTHING,
  ...change,
})
const resource = (kind: string, name: string) => ({ key: `${kind}/default/${name}` as Key, kind, project: 'default', name, spec: {} })

test('kinds that do not fit together are refused when the engine is made', (t) => {
  t.throws(() => createEngine([toy('a', ['b']), toy('b', ['c']), toy('c', ['a'])]), {
    message: 'kinds come after each other in a circle: a → b → c → a',
  })
  t.throws(() => createEngine([toy('a', ['b'])]), { message: 'kind a comes after b, which does not exist' })
  t.throws(() => createEngine([toy('a', []), toy('a', [])]), { message: 'two kinds are called a' })
})

test('a kind that breaks the rules of its contract is caught', (t) => {
  const run = (change: Partial<KindDefinition>) => {
    const broken = createEngine([toy('b', []), toy('a', [], change)])
    return broken.step(broken.empty(), { set: [resource('a', 'x'), resource('b', 'x'), resource('a', 'y')], del: [] }, { now: 0 })
  }
  t.throws(() => run({ check: (_r, view) => (view.get('b/default/x' as Key) === undefined ? [] : []) }), {
    message: /does not come after its kind/,
  })
  const range = { from: 1n, to: 9n, format: String, parse: (text: string) => BigInt(text) }
  t.throws(
    () =>
      run({
        resolve: (r, _v, pools) => {
          pools.allocate('p', [range])
          pools.claim('p', '1')
          return { spec: r.spec, findings: [] }
        },
      }),
    { message: /after it allocated/ },
  )
  const intent = { scope: 's', key: 'k', intent: { type: 'host', host: 'h', bridge_mappings: {} } } as never
  t.throws(() => run({ lower: () => ({ intents: [intent], needs: [] }) }), { message: /two resources lower to k in s/ })
})
