import test from 'ava'
import type { Intent } from '../../src/model/intent.ts'
import type { Key } from '../../src/model/key.ts'
import type { Scope } from '../../src/model/scope.ts'
import { issuesOf } from '../../src/server/engine/issues.ts'
import type { DeclaredOps, World } from '../../src/server/engine/types.ts'
import { inUseIssues } from '../../src/server/plan/in-use.ts'
import { kinds } from '../support/kinds.ts'
import { build, engine, findingsOf, write } from '../support/world.ts'

const set = (yaml: string): DeclaredOps => ({ set: write(yaml).declared, del: [] })
const next = (world: World, ops: DeclaredOps) => engine.step(world, ops, { now: 0 })
const intentsIn = (world: World, scope: string): readonly Intent[] => [...(world.scopes.get(scope as Scope)?.intents.values() ?? [])]
const needsOf = (world: World, host: string): readonly string[] => [...(world.needs.get(host)?.keys() ?? [])].sort()

const TIERS = `networks: { n: {} }
subnets: { four: { network: n, cidr: 10.0.0.0/24 }, six: { network: n, cidr: 'fd00::/64' } }
hosts: { h1: { tunnel_ip: 192.0.2.1 }, h2: { tunnel_ip: 192.0.2.2 } }
address_groups: { offices: { addresses: ['fd01::/64', 192.0.2.0/24] } }
security_groups:
  web: { default_rules: false, rules: [{ direction: ingress, protocol: tcp, port_range_min: 80, port_range_max: 443, remote_address_group: offices }, { direction: egress, remote_group: app }] }
  app: { default_rules: false, rules: [{ direction: ingress, protocol: icmp, port_range_min: 8, port_range_max: 0, remote_group: web }, { direction: ingress, ethertype: IPv6, protocol: icmp, port_range_min: 128 }] }
ports:
  w: { network: n, host: h1, security_groups: [web], fixed_ips: [{ ip_address: 10.0.0.7 }, { ip_address: 'fd00::7' }], allowed_address_pairs: [{ ip_address: 10.0.0.7 }, { ip_address: 10.9.0.0/16 }] }
  a: { network: n, security_groups: [web, app], fixed_ips: [{ ip_address: 10.0.0.8 }] }
  b: { network: n, host: h2, security_groups: [app], fixed_ips: [{ ip_address: 10.0.0.9 }] }`

test('rules, members and addresses are intents of scopes of their own', (t) => {
  const world = build(TIERS)
  t.deepEqual(findingsOf(world), [])
  const web = 'security_group/default/web' as Key
  const app = 'security_group/default/app' as Key
  const offices = 'address_group/default/offices' as Key
  const rulesOf = (scope: string) =>
    intentsIn(world, scope)
      .flatMap((i) => (i.type === 'group_rule' ? [JSON.stringify(i.rule)] : []))
      .sort()
  t.deepEqual(
    intentsIn(world, 'sg/default/web').filter((i) => i.type === 'group'),
    [{ type: 'group', group: web, stateful: true }],
  )
  t.deepEqual(rulesOf('sg/default/web'), [
    JSON.stringify({ direction: 'egress', ethertype: 'IPv4', remote: { group: app } }),
    JSON.stringify({
      direction: 'ingress',
      ethertype: 'IPv4',
      ports: { first: 80, last: 443 },
      protocol: 6,
      remote: { addresses: offices },
    }),
  ])
  t.deepEqual(rulesOf('sg/default/app'), [
    JSON.stringify({ direction: 'ingress', ethertype: 'IPv4', icmp: { code: 0, type: 8 }, protocol: 1, remote: { group: web } }),
    JSON.stringify({ direction: 'ingress', ethertype: 'IPv6', icmp: { type: 128 }, protocol: 58 }),
  ])
  t.deepEqual(intentsIn(world, 'addresses/default/offices'), [
    { type: 'addresses', addresses: offices, prefixes: ['192.0.2.0/24', 'fd01::/64'] },
  ])
  const members = (scope: string) =>
    intentsIn(world, scope)
      .flatMap((i) => (i.type === 'member' ? [[i.port, i.prefixes]] : []))
      .sort()
  // On a host or not.
  t.deepEqual(members('members/default/web'), [
    ['port/default/a', ['10.0.0.8/32']],
    ['port/default/w', ['10.0.0.7/32', '10.9.0.0/16', 'fd00::7/128']],
  ])
  t.deepEqual(
    members('members/default/app').map(([port]) => port),
    ['port/default/a', 'port/default/b'],
  )
})

test('a host needs the rules of its ports’ groups, and everybody whom these are about', (t) => {
  const world = build(TIERS)
  const groupsAt = (host: string) => needsOf(world, host).filter((s) => /^(sg|members|addresses)\//.test(s))
  t.deepEqual(groupsAt('h1'), ['addresses/default/offices', 'members/default/app', 'sg/default/web'])
  t.deepEqual(groupsAt('h2'), ['members/default/web', 'sg/default/app'])
  // A remote more for the group: its ports' hosts learn who that is.
  const { world: then } = next(
    world,
    set('security_groups: { app: { default_rules: false, rules: [{ direction: ingress, remote_address_group: offices }] } }'),
  )
  t.deepEqual(
    needsOf(then, 'h2').filter((s) => /^(sg|members|addresses)\//.test(s)),
    ['addresses/default/offices', 'sg/default/app'],
  )
})

test('a port says which groups it is in, none at all, or that there are no rules', (t) => {
  const world = build(`networks: { n: {} }
hosts: { h: { tunnel_ip: 192.0.2.1 } }
security_groups: { z: {}, a: {} }
ports: { some: { network: n, host: h, security_groups: [z, a] }, none: { network: n, host: h, security_groups: [] }, free: { network: n, host: h, port_security_enabled: false }, dhcp: { network: n, host: h, device_owner: network:dhcp }, usual: { network: n, host: h } }`)
  const said = Object.fromEntries(
    intentsIn(world, 'host/h').flatMap((i) => (i.type === 'attach' ? [[i.port.slice('port/default/'.length), i.security_groups]] : [])),
  )
  t.deepEqual(said, {
    some: ['security_group/default/a', 'security_group/default/z'] as Key[],
    none: [],
    free: undefined,
    dhcp: undefined,
    usual: ['security_group/default/default'] as Key[],
  })
})

const PORTS = 1000

function crowd(): World {
  const ports = Array.from({ length: PORTS }, (_, i) => `p${i}: { network: n, host: h${i % 10}, security_groups: [web] }`)
  const hosts = Array.from({ length: 10 }, (_, i) => `h${i}: { tunnel_ip: 192.0.2.${i + 1} }`)
  return build(`networks: { n: {} }
subnets: { s: { network: n, cidr: 10.0.0.0/20 } }
hosts: { ${hosts.join(', ')} }
security_groups: { web: { rules: [{ direction: ingress, remote_group: web }] } }
ports: { ${ports.join(', ')} }`)
}

/** Milliseconds of the fastest of several: what others do on the machine is not what is measured. */
function fastest(run: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now()
    run()
    return performance.now() - start
  })
  return Math.min(...times)
}

test('a group of a thousand ports: a rule or a member more costs what it is, not what the group is', (t) => {
  const base = crowd()
  const rule = set(
    'security_groups: { web: { rules: [{ direction: ingress, remote_group: web }, { direction: ingress, protocol: tcp, port_range_min: 80, port_range_max: 80 }] } }',
  )
  const ruled = next(base, rule)
  t.deepEqual([...ruled.touched], ['security_group/default/web'] as Key[])
  t.deepEqual([...ruled.touchedScopes], ['sg/default/web'] as Scope[])
  t.is(ruled.touchedHosts.size, 10)

  const member = set('ports: { q: { network: n, host: h1, security_groups: [web] } }')
  const joined = next(base, member)
  t.deepEqual([...joined.touched], ['port/default/q'] as Key[])
  const scope = 'members/default/web' as Scope
  const before = base.scopes.get(scope)?.intents
  const added = [...(joined.world.scopes.get(scope)?.intents ?? [])].filter(([key]) => before?.has(key) !== true)
  t.is(added.length, 1)
  t.true(JSON.stringify(added).length < 300, JSON.stringify(added))

  const [one, other] = [fastest(() => void next(base, rule)), fastest(() => void next(base, member))]
  t.log(`a rule ${one.toFixed(2)} ms, a member ${other.toFixed(2)} ms`)
  t.true(one < 25 && other < 25, `a rule ${one} ms, a member ${other} ms`)
})

test('a port on whose groups somebody new is named runs again, and only for what that changes', (t) => {
  const base = crowd()
  const ruled = next(
    base,
    set(
      'security_groups: { web: { rules: [{ direction: ingress, remote_group: web }, { direction: ingress, remote_group: db }] }, db: {} }',
    ),
  )
  t.deepEqual([...ruled.touched].sort(), ['security_group/default/db', 'security_group/default/web'] as Key[])
  t.true(needsOf(ruled.world, 'h3').includes('members/default/db'))
  t.is(ruled.world.needs.get('h3')?.get('members/default/db' as Scope), PORTS / 10)
})

test('stateful stands still while a port uses the group, and may change when none does any more', (t) => {
  const base = build(
    'networks: { n: {} }\nsecurity_groups: { g: {}, other: {} }\nports: { p: { network: n, security_groups: [g] }, q: { network: n, security_groups: [g, other] } }',
  )
  const said = (ops: DeclaredOps) => {
    const step = next(base, ops)
    const issues = [...issuesOf(step.world, () => undefined), ...inUseIssues({ base, step, kinds, locate: () => undefined })]
    return issues.map(({ code, message, hint }) => `${code} ${message} → ${hint ?? ''}`)
  }
  t.deepEqual(said(set('security_groups: { g: { stateful: false }, other: { stateful: false } }')), [
    'E0289 stateful of security_group g cannot be changed while a port uses it: port p and port q → put the old value back, or make another security group for its users',
    'E0289 stateful of security_group other cannot be changed while a port uses it: port q → put the old value back, or make another security group for its users',
  ])
  t.deepEqual(said(set('security_groups: { g: { description: x, rules: [] } }')), [])
  t.deepEqual(said(set('security_groups: { other: { stateful: false } }\nports: { q: { network: n, security_groups: [g] } }')), [])
  const gone: DeclaredOps = {
    set: write('security_groups: { g: { stateful: false } }').declared,
    del: ['port/default/p', 'port/default/q'] as Key[],
  }
  t.deepEqual(said(gone), [])
})
