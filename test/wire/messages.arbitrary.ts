import fc from 'fast-check'
import type { JsonObject } from '../../src/model/brand.ts'
import type { Intent } from '../../src/model/intent.ts'
import type { Key } from '../../src/model/key.ts'
import type { IntentKey, Needs, Scope, ScopeDelta, ScopeVersion } from '../../src/model/scope.ts'
import type { DriftItem, ObjectStatus } from '../../src/model/status.ts'
import type { Ask, Heartbeat, Holds, Reply, Request, UpdateHeader } from '../../src/wire/messages.ts'

/* Arbitrary messages, written against the types: a schema that refuses one of them differs from the contract. */

const v = fc.constant(1)
const text = fc.string({ minLength: 1, maxLength: 12, unit: 'binary' })
const host = fc.stringMatching(/^[a-z0-9.-]{1,12}$/)
const count = fc.nat()
const version = fc.stringMatching(/^[0-9a-f]{32}$/).map((s) => s as ScopeVersion)
const scope = text.map((s) => `net/${s}` as Scope)
const key = text.map((s) => `port/default/${s}` as Key)
const json = fc
  .dictionary(text, fc.oneof(fc.boolean(), fc.integer(), fc.string(), fc.constant(null)), { noNullPrototype: true })
  .filter((o) => !Object.hasOwn(o, '__proto__')) as fc.Arbitrary<JsonObject>
const needs = fc.array(fc.tuple(scope, version)).map((list) => Object.fromEntries(list) as Needs)
const intents = fc
  .array(fc.tuple(text, fc.record({ type: fc.constant('endpoint' as const), host: text, tunnel_ip: text })))
  .map((list) => Object.fromEntries(list.map(([k, i]) => [`endpoint ${k}`, i])) as Record<IntentKey, Intent>)
const delta: fc.Arbitrary<ScopeDelta> = fc.record({
  scope,
  from: version,
  to: version,
  set: intents,
  del: fc.array(text.map((s) => s as IntentKey)),
})
const question: fc.Arbitrary<Ask['question']> = fc.oneof(
  fc.constantFrom({ what: 'drift' as const }, { what: 'flows' as const }),
  fc.record({ what: fc.constant('trace' as const), bridge: text, flow: fc.string() }),
)
export const ask: fc.Arbitrary<Ask> = fc.record({ v, type: fc.constant('ask' as const), id: text, host, question })
export const heartbeat: fc.Arbitrary<Heartbeat> = fc.record({ v, type: fc.constant('heartbeat' as const), epoch: text, revision: count })

export const update: fc.Arbitrary<{ readonly header: UpdateHeader; readonly deltas: readonly ScopeDelta[] }> = fc
  .record({
    deltas: fc.array(delta, { maxLength: 4 }),
    rest: fc.record({ v, type: fc.constant('update' as const), host, epoch: text, seq: count, revision: count, needs }),
  })
  .map(({ deltas, rest }) => ({ header: { ...rest, deltas: deltas.map(({ scope, from, to }) => ({ scope, from, to })) }, deltas }))

const status: fc.Arbitrary<ObjectStatus> = fc.record(
  {
    key,
    state: fc.constantFrom('ACTIVE' as const, 'BUILD' as const, 'WAITING' as const, 'DOWN' as const, 'ERROR' as const),
    cause: fc.string(),
    attempts: count,
    since: text,
  },
  { requiredKeys: ['key', 'state', 'attempts', 'since'] },
)
const drift: fc.Arbitrary<DriftItem> = fc.record({
  kind: fc.constantFrom('missing' as const, 'altered' as const, 'foreign' as const, 'stale' as const),
  where: fc.string(),
  owners: fc.array(key),
  fields: fc.array(fc.record({ field: fc.string(), want: fc.string() }, { requiredKeys: ['field'] })),
  since: text,
  action: fc.constantFrom('report' as const, 'repair' as const, 'repaired' as const, 'left alone' as const),
})

const portKey = fc.stringMatching(/^[a-z0-9.-]{1,12}$/).map((s) => `port/default/${s}` as Key)
const networkKey = fc.stringMatching(/^[a-z0-9.-]{1,12}$/).map((s) => `network/default/${s}` as Key)
const holds: fc.Arbitrary<Holds> = fc.record({
  revision: count,
  digest: version,
  ports: fc.array(fc.record({ port: portKey, network: networkKey, mac: text, ips: fc.array(text) })),
  segments: fc.array(
    fc.record(
      {
        network: networkKey,
        network_type: fc.constantFrom('local' as const, 'flat' as const, 'vlan' as const, 'vxlan' as const),
        physical_network: text,
        segmentation_id: count,
      },
      { requiredKeys: ['network', 'network_type'] },
    ),
  ),
})

export const request: fc.Arbitrary<Request> = fc.oneof(
  fc.record(
    { v, type: fc.constant('hello' as const), id: text, host, epoch: text, version: text, holds },
    { requiredKeys: ['v', 'type', 'id', 'host', 'epoch', 'version'] },
  ),
  fc.record(
    {
      v,
      type: fc.constant('pull' as const),
      id: text,
      host,
      revision: count,
      scopes: fc.array(fc.record({ scope, have: version }, { requiredKeys: ['scope'] })),
    },
    { requiredKeys: ['v', 'type', 'id', 'host'] },
  ),
  fc.record(
    {
      v,
      type: fc.constant('report' as const),
      id: text,
      host,
      epoch: text,
      revision: count,
      digest: version,
      converged: fc.boolean(),
      full: fc.boolean(),
      objects: fc.array(status),
      gone: fc.array(key),
      drift: fc.array(drift),
      facts: json,
      allocations: json,
      answer: fc.record({ id: text, ok: fc.boolean(), data: json }),
      timings: fc.dictionary(text, fc.nat()).filter((o) => !Object.hasOwn(o, '__proto__')),
    },
    { requiredKeys: ['v', 'type', 'id', 'host', 'epoch', 'revision', 'digest', 'converged', 'full', 'objects', 'gone'] },
  ),
)

const move = { epoch: text, seq: count, revision: count }
export const reply: fc.Arbitrary<Reply> = fc.oneof(
  fc.record({
    v,
    id: text,
    type: fc.constant('hello' as const),
    installation: fc.string(),
    ...move,
    digest: version,
    endpoints: fc.record({ pub: text, rpc: text, reports: text }),
    heartbeat_ms: fc.integer({ min: 1 }),
  }),
  fc.record({
    v,
    id: text,
    type: fc.constant('pull' as const),
    ...move,
    needs,
    contents: fc.array(fc.record({ scope, version, intents })),
    deltas: fc.array(delta),
    more: fc.array(scope),
  }),
  fc.record(
    {
      v,
      id: text,
      type: fc.constant('report' as const),
      ...move,
      digest: version,
      want_full: fc.boolean(),
      asks: fc.array(ask),
    },
    { requiredKeys: ['v', 'id', 'type', 'epoch', 'seq', 'revision', 'digest', 'want_full'] },
  ),
  fc.record({
    v,
    id: fc.string(),
    type: fc.constant('refused' as const),
    code: fc.constantFrom(
      'version' as const,
      'unknown-host' as const,
      'malformed' as const,
      'not-ready' as const,
      'unknown-revision' as const,
      'not-yours' as const,
    ),
    message: fc.string(),
  }),
)
