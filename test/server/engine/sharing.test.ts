import test from 'ava'
import { type KindDefinition, NOTHING, type Reference } from '../../../src/kinds/kind.ts'
import { rbacPolicy } from '../../../src/kinds/rbac_policy/index.ts'
import type { Sharing } from '../../../src/kinds/sharing.ts'
import type { JsonObject } from '../../../src/model/brand.ts'
import { type Key, makeKey } from '../../../src/model/key.ts'
import type { Declared } from '../../../src/model/resource.ts'
import { createEngine } from '../../../src/server/engine/engine.ts'
import type { World } from '../../../src/server/engine/types.ts'

const toy = (kind: string, more: Partial<KindDefinition> = {}): KindDefinition => ({
  kind,
  collection: `${kind}s`,
  scope: 'project',
  summary: '',
  schema: {},
  after: [],
  normalise: (spec) => ({ spec, findings: [] }),
  references: () => [],
  check: () => [],
  resolve: ({ spec }) => ({ spec, findings: [] }),
  lower: () => NOTHING,
  ...more,
})

/** Uses one thing, without coming after its kind: such a reader wakes by what is declared alone. */
const user = (access?: Reference['access']): KindDefinition =>
  toy('user', {
    references: (spec) => [{ kind: 'thing', name: String(spec['thing']), at: ['thing'], ...(access === undefined ? {} : { access }) }],
  })

const one = (kind: string, project: string, name: string, spec: JsonObject = {}): Declared => {
  return { key: makeKey(kind, project, name), kind, project, name, spec }
}
const USER = one('user', 'web', 'u', { thing: 'shop/t' })
const policy = (action: string, type = 'thing'): Declared =>
  one('rbac_policy', 'shop', 'r', { object_type: type, object: type === 'thing' ? 't' : 'w', action, target_project: 'web' })

function world(kinds: readonly KindDefinition[], ...steps: readonly (readonly Declared[])[]): { readonly codes: readonly string[] } {
  const all = [...kinds, rbacPolicy]
  const engine = createEngine(all.map((k) => k.among?.(all) ?? k))
  let now: World = engine.empty()
  for (const set of steps) {
    const keys = new Set<Key>(set.map((d) => d.key))
    now = engine.step(now, { set, del: [...now.declared.keys()].filter((k) => !keys.has(k)) }, { now: 0 }).world
  }
  return { codes: (now.findings.get(USER.key) ?? []).map((f) => f.code) }
}

const shareable = (everybody: Extract<Sharing, { by: 'grant' }>['everybody']): KindDefinition =>
  toy('thing', { sharing: { by: 'grant', everybody } })

test('a kind that says nothing of sharing is never shared', (t) => {
  const things = [one('thing', 'shop', 't', { shared: true }), USER]
  t.deepEqual(world([toy('thing'), user()], things).codes, ['E0270'])
})

test('an attribute lets everybody in, and out again', (t) => {
  const kinds = [shareable({ shared: 'open' }), user()]
  const shut = [one('thing', 'shop', 't'), USER]
  const open = [one('thing', 'shop', 't', { open: true }), USER]
  t.deepEqual(world(kinds, shut).codes, ['E0270'])
  t.deepEqual(world(kinds, shut, open).codes, [])
  t.deepEqual(world(kinds, open, shut).codes, ['E0270'])
  t.deepEqual(world([shareable({ shared: null }), user()], open).codes, ['E0270'])
})

test('a policy lets one project in where no attribute does, and out again', (t) => {
  const kinds = [shareable({ shared: null }), user()]
  const shut = [one('thing', 'shop', 't'), USER]
  const open = [...shut, policy('access_as_shared')]
  t.deepEqual(world(kinds, shut, open).codes, [])
  t.deepEqual(world(kinds, open, shut).codes, ['E0270'])
})

test('being external is enough where a reference says so, and nothing is where it says own', (t) => {
  const thing = one('thing', 'shop', 't', { external: true, shared: true })
  const kinds = (access?: Reference['access']) => [shareable({ shared: 'shared', external: 'external' }), user(access)]
  t.deepEqual(world(kinds('own'), [thing, USER]).codes, ['E0271'])
  const external = one('thing', 'shop', 't', { external: true })
  t.deepEqual(world(kinds('external'), [external, USER]).codes, [])
  t.deepEqual(world(kinds(), [external, USER]).codes, ['E0270'])
  t.deepEqual(world(kinds('external'), [one('thing', 'shop', 't'), USER, policy('access_as_external')]).codes, [])
})

test('a part is shared with its whole, and goes with it', (t) => {
  const part = toy('thing', { sharing: { by: 'whole', kind: 'whole', attribute: 'of' } })
  const whole = toy('whole', { sharing: { by: 'grant', everybody: { shared: 'shared' } } })
  const of = (name: string) => [
    one('thing', 'shop', 't', { of: name }),
    one('whole', 'shop', 'w', { shared: true }),
    one('whole', 'shop', 'v'),
    USER,
  ]
  const kinds = [whole, part, user()]
  t.deepEqual(world(kinds, of('w')).codes, [])
  t.deepEqual(world(kinds, of('v')).codes, ['E0270'])
  t.deepEqual(world(kinds, of('w'), of('v')).codes, ['E0270'])
  const shut = [one('thing', 'shop', 't', { of: 'w' }), one('whole', 'shop', 'w'), USER]
  t.deepEqual(world(kinds, of('w'), shut).codes, ['E0270'])
  t.deepEqual(world(kinds, shut, of('w')).codes, [])
  t.deepEqual(world(kinds, [...of('v').slice(0, 1), one('whole', 'shop', 'v'), USER], of('w')).codes, [])
})

test('a resource without a project reaches everywhere', (t) => {
  const global = { ...user(), scope: 'global' as const }
  const kinds = [shareable({ shared: null }), global, rbacPolicy]
  const engine = createEngine(kinds)
  const set = [one('thing', 'shop', 't'), one('user', '', 'u', { thing: 'shop/t' })]
  t.is(engine.step(engine.empty(), { set, del: [] }, { now: 0 }).world.findings.size, 0)
})

test('policies take the kinds that can be shared, and no others', (t) => {
  const all = [shareable({ shared: null }), toy('other'), rbacPolicy]
  const made = rbacPolicy.among?.(all) ?? rbacPolicy
  t.deepEqual((made.schema as { properties: { object_type: { enum: unknown } } }).properties.object_type.enum, ['thing'])
  const codes = made.normalise(policy('access_as_external').spec).findings.map((f) => f.code)
  t.deepEqual(codes, ['E0273'])
})
