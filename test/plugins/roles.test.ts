import test from 'ava'
import { parse } from 'yaml'
import type { KindDefinition, Lowered } from '../../src/kinds/kind.ts'
import type { JsonObject } from '../../src/model/brand.ts'
import { DEFAULT_PROJECT, type Key, makeKey } from '../../src/model/key.ts'
import type { Declared } from '../../src/model/resource.ts'
import { FABRIC, hostScope, intentKey, networkScope, type Scope } from '../../src/model/scope.ts'
import type { Plugin } from '../../src/plugins/plugin.ts'
import { createEngine } from '../../src/server/engine/engine.ts'
import type { World } from '../../src/server/engine/types.ts'
import { computePlan } from '../../src/server/plan/plan.ts'
import { netloom } from '../cli/netloom.ts'
import { findingsOf, withImplied } from '../support/world.ts'
import { directoryOf, kind, said, together, withAttributes, withKinds } from './make.ts'
import { thirdParty } from './third-party.ts'

/** An address outside that every speaker of the network learns; it asks for the network on two hosts, and says something to each. */
const PEER: KindDefinition = kind('peer', {
  schema: { type: 'object', additionalProperties: false, properties: { mac: { type: 'string', description: 'x' } } },
  lower({ key, spec }): Lowered {
    const network = makeKey('network', DEFAULT_PROJECT, 'n')
    const intent = {
      type: 'location' as const,
      port: key,
      network,
      host: key,
      mac: String(spec['mac'] ?? '02:00:00:00:00:01'),
      ips: [],
      port_security_enabled: true,
      admin_state_up: true,
    }
    const scopes = [networkScope(network), hostScope('h1'), hostScope('h2')]
    return {
      intents: scopes.map((scope) => ({ scope, key: intentKey('location', key), intent })),
      needs: ['h1', 'h2'].map((host) => ({ host, scope: networkScope(network) })),
    }
  },
})

function speakers(...agent_roles: readonly string[]): Plugin {
  return { ...withKinds('speakers', PEER), agent_roles }
}

function declared(yaml: string, kinds: readonly KindDefinition[]): readonly Declared[] {
  const document = (parse(yaml) ?? {}) as Record<string, Record<string, JsonObject | null>>
  const written = kinds.flatMap((k) =>
    Object.entries(document[k.collection] ?? {}).map(([name, spec]) => {
      const project = k.scope === 'global' ? '' : DEFAULT_PROJECT
      return { key: makeKey(k.kind, project, name), kind: k.kind, project, name, spec: k.normalise(spec ?? {}).spec }
    }),
  )
  return withImplied(written)
}

const GUARDS = { delete_ratio: 1, delete_ratio_min: 1000, delete_count: 1000, delete_settle_ms: 0 }

/** A repository that is applied, and what it says then: the world, what is wrong with it, and the plan's changes with their hosts. */
function change(plugins: readonly Plugin[], first: string, then: string) {
  const { kinds } = directoryOf(plugins)
  const { empty, step: take, footprint } = createEngine(kinds)
  const base = take(empty(), { set: declared(first, kinds), del: [] }, { now: 0 }).world
  const set = declared(then, kinds)
  const ops = { set, del: [...base.declared.keys()].filter((key) => !set.some((s) => s.key === key)) }
  const step = take(base, ops, { now: 0 })
  const findings = findingsOf(step.world)
  const input = { base, baseRevision: 1, registry: '', ops, step, footprint, kinds, places: () => undefined, guards: GUARDS }
  const changes = findings.length > 0 ? [] : computePlan(input).changes.map((c) => `${c.action} ${c.key}: ${c.hosts.join(', ')}`)
  return { world: step.world, findings, changes }
}

const scopesOf = (world: World, host: string): readonly string[] => [...(world.needs.get(host)?.keys() ?? [])].sort()
/** What a host is sent, as `scope: intent`. */
const sent = (world: World, host: string): readonly string[] =>
  scopesOf(world, host).flatMap((scope) =>
    [...(world.scopes.get(scope as Scope)?.intents.keys() ?? [])].map((key) => `${scope}: ${key}`).sort(),
  )

const BOTH = 'hosts: { h1: { tunnel_ip: 192.0.2.1, roles: [l2, bgp] }, h2: { tunnel_ip: 192.0.2.2 } }\n'
const PORTS = 'networks: { n: {} }\nports: { p: { network: n, host: h1 }, q: { network: n, host: h2 } }\n'
const PEERS = 'peers: { far: {} }\n'

test('a plugin’s intents reach the hosts that have its role, in shared scopes and in hosts’ own; the plan names no other', (t) => {
  const { world, changes, findings } = change([speakers('bgp')], BOTH + PORTS, BOTH + PORTS + PEERS)
  t.deepEqual(findings, [])
  t.deepEqual(changes, ['create peer/default/far: h1'])
  const far = (host: string) => sent(world, host).filter((line) => line.includes('peer/'))
  t.deepEqual(far('h1'), ['host/h1: location peer/default/far', 'role/bgp/net/default/n: location peer/default/far'])
  t.deepEqual(far('h2'), [])
  t.false(
    [...world.scopes].some(([scope, { intents }]) => scope === hostScope('h2') && [...intents.keys()].some((k) => k.includes('peer/'))),
  )
  t.deepEqual(
    scopesOf(world, 'h2'),
    ['fabric', 'host/h2', 'members/default/default', 'net/default/n', 'sg/default/default'],
    'whoever has l2 alone is asked for what it was asked for without the plugin',
  )
  t.deepEqual(change([speakers('bgp')], BOTH + PORTS + PEERS, BOTH + PORTS).changes, ['delete peer/default/far: h1'])
})

test('the same plugin for l2 reaches both, in the scopes that there are', (t) => {
  for (const roles of [['l2'], []]) {
    const { world, changes } = change([speakers(...roles)], PORTS + BOTH.replace(', bgp', ''), PORTS + BOTH.replace(', bgp', '') + PEERS)
    t.deepEqual(changes, ['create peer/default/far: h1, h2'])
    t.deepEqual(scopesOf(world, 'h1'), ['fabric', 'host/h1', 'members/default/default', 'net/default/n', 'sg/default/default'])
  }
})

test('a plugin of two roles reaches whoever has one of them, once', (t) => {
  const hosts = 'hosts: { h1: { roles: [bgp] }, h2: { roles: [dhcp, bgp] }, h3: {} }\nnetworks: { n: {} }\n'
  const { world, changes } = change([speakers('dhcp', 'bgp')], hosts, hosts + PEERS)
  t.deepEqual(changes, ['create peer/default/far: h1, h2'])
  t.deepEqual(sent(world, 'h2'), [
    'host/h2: host h2',
    'host/h2: location peer/default/far',
    'role/bgp+dhcp/net/default/n: location peer/default/far',
  ])
})

test('a host without l2 has no tunnel, no bridge and no network of the core, and learns who it is', (t) => {
  const yaml = 'hosts: { h1: { tunnel_ip: 192.0.2.1, bridge_mappings: { a: br-a }, roles: [bgp] }, h2: { tunnel_ip: 192.0.2.2 } }\n'
  const { world } = change([speakers('bgp')], '', `${yaml}networks: { n: {} }\n${PEERS}`)
  t.deepEqual(sent(world, 'h1'), [
    'host/h1: host h1',
    'host/h1: location peer/default/far',
    'role/bgp/net/default/n: location peer/default/far',
  ])
  t.like(world.scopes.get(hostScope('h1'))?.intents.get(intentKey('host', 'h1')), { bridge_mappings: {}, tunnel_ip: undefined })
  t.deepEqual([...(world.scopes.get(FABRIC)?.intents.keys() ?? [])], ['endpoint h2'])
})

test('what a plugin adds to others’ kinds is for its roles too', (t) => {
  const lower = (resource: { readonly key: Key }): Lowered => PEER.lower(resource as never, undefined as never)
  const added = {
    ...withAttributes('speakers', { kind: 'network', properties: { asn: { type: 'integer', description: 'x' } }, lower }),
    agent_roles: ['bgp'],
  }
  const { world, changes } = change([added], BOTH, `${BOTH}networks: { n: { asn: 1 } }\n`)
  t.deepEqual(changes, ['create network/default/n: h1'])
  t.true(sent(world, 'h1').includes('role/bgp/net/default/n: location network/default/n'))
  t.deepEqual(scopesOf(world, 'h2'), ['fabric', 'host/h2'])
})

test('a role that is given or taken is a planned change of the host; it alone is concerned', (t) => {
  const all = BOTH + PORTS + PEERS
  const without = all.replace('roles: [l2, bgp]', 'roles: [l2]')
  const taken = change([speakers('bgp')], all, without)
  t.deepEqual(taken.changes, ['update host/h1: h1'])
  t.false(sent(taken.world, 'h1').some((line) => line.includes('peer/')))
  const before = change([speakers('bgp')], '', all).world
  for (const scope of [FABRIC, networkScope(makeKey('network', DEFAULT_PROJECT, 'n'))])
    t.is(taken.world.scopes.get(scope)?.version, before.scopes.get(scope)?.version, 'what is for l2 is untouched')
  const given = change([speakers('bgp')], without, all)
  t.deepEqual(given.changes, ['update host/h1: h1'])
  t.deepEqual(sent(given.world, 'h1'), sent(change([speakers('bgp')], '', all).world, 'h1'), 'as if it had always had it')
  t.deepEqual(change([speakers('bgp')], all, all.replace('[l2, bgp]', '[bgp, l2]')).changes, [], 'another order is no change')
})

test('E0233: l2 is not taken away under a port, and a host without it gets none: each driver says so', (t) => {
  const all = BOTH + PORTS
  const { findings } = change([speakers('bgp')], all, all.replace('roles: [l2, bgp]', 'roles: [bgp]'))
  t.deepEqual(findings, [
    'E0233 port p host: port p cannot be bound to host h1: openvswitch: the host has no role l2; it has bgp (network/default/n network_type: network n is vxlan; host/h1 roles: host h1) → add roles: [bgp, l2] to host h1',
  ])
  const moved = all.replace('roles: [l2, bgp]', 'roles: [bgp]').replace('p: { network: n, host: h1 }', 'p: { network: n, host: h2 }')
  t.deepEqual(change([speakers('bgp')], all, moved).findings, [])
})

test('E0719: a role that is no word', (t) => {
  t.deepEqual(
    together([{ ...speakers('bgp'), agent_roles: ['bgp', 'BGP', '', 7 as never] }]).issues.map((i) => said(i).replace(/ → .*/, '')),
    ['1', '2', '3'].map((i) => `10: E0719 plugin speakers: \`agent_roles[${i}]\` is no word of small letters, digits, - and _`),
  )
})

test('in YAML only roles that some plugin addresses can be written, and `netloom plugins` shows them', async (t) => {
  const { repo, edit } = await thirdParty(t)
  await edit('neighbours.mjs', "agent_roles: ['l2']", "agent_roles: ['l2', 'border']")
  await edit('repo/dmz.yaml', 'h1: { tunnel_ip: 192.0.2.1,', 'h1: { tunnel_ip: 192.0.2.1, roles: [l2, boarder],')
  const { code, out } = await netloom('validate', repo)
  t.is(code, 1)
  t.regex(out, /E0323.*"boarder" is not one of l2, border\n.*dmz\.yaml:2:/)
  t.regex(out, /did you mean `border`\?/)
  await edit('repo/dmz.yaml', 'boarder', 'border')
  t.is((await netloom('validate', repo)).code, 0)
  t.regex((await netloom('plugins', repo)).out, /^neighbours .*\n.*\n(?: {2}.*\n)*? {2}agent roles: l2, border$/m)
})
