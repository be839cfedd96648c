import type { JSONSchema } from 'json-schema-to-ts'

/*
 * What crosses the wire, message by message (`src/wire/messages.ts` holds the types). Members that are not named here are let through and
 * ignored, so that a newer peer may add some without a new wire version. Intents are only required to be typed objects: a type
 * that this build does not know must reach the compiler, which names it as unsupported, and their content is proved by the scope's digest.
 */

const version = { type: 'string', pattern: '^[0-9a-f]{32}$' } as const satisfies JSONSchema
const name = { type: 'string', minLength: 1, maxLength: 1024 } as const satisfies JSONSchema
/** A host's name becomes part of a topic (`host/<h>/`): no slash, no blank, no control character. */
const host = { type: 'string', pattern: '^[^/\\s\\u0000-\\u0020\\u007f]{1,255}$' } as const satisfies JSONSchema
const count = { type: 'integer', minimum: 0 } as const satisfies JSONSchema
const v = { type: 'integer' } as const satisfies JSONSchema
const needs = { type: 'object', additionalProperties: version } as const satisfies JSONSchema
const intents = {
  type: 'object',
  additionalProperties: { type: 'object', properties: { type: name }, required: ['type'] },
} as const satisfies JSONSchema
const step = {
  type: 'object',
  properties: { scope: name, from: version, to: version },
  required: ['scope', 'from', 'to'],
} as const satisfies JSONSchema
const delta = {
  type: 'object',
  properties: { scope: name, from: version, to: version, set: intents, del: { type: 'array', items: name } },
  required: ['scope', 'from', 'to', 'set', 'del'],
} as const satisfies JSONSchema
const content = {
  type: 'object',
  properties: { scope: name, version, intents },
  required: ['scope', 'version', 'intents'],
} as const satisfies JSONSchema
/** Git's object name, SHA-1 or SHA-256. */
const commit = { type: 'string', pattern: '^[0-9a-f]{7,64}\\+?$' } as const satisfies JSONSchema
const plainObject = { type: 'object' } as const satisfies JSONSchema

const update = {
  type: 'object',
  properties: {
    v,
    type: { const: 'update' },
    host,
    epoch: name,
    seq: count,
    revision: count,
    commit,
    needs,
    deltas: { type: 'array', items: step },
  },
  required: ['v', 'type', 'host', 'epoch', 'seq', 'revision', 'needs', 'deltas'],
} as const satisfies JSONSchema

const heartbeat = {
  type: 'object',
  properties: { v, type: { const: 'heartbeat' }, epoch: name, revision: count },
  required: ['v', 'type', 'epoch', 'revision'],
} as const satisfies JSONSchema

const question = {
  type: 'object',
  properties: { what: { enum: ['drift', 'flows', 'trace'] }, bridge: name, flow: { type: 'string', maxLength: 65536 } },
  required: ['what'],
  if: { properties: { what: { const: 'trace' } } },
  // biome-ignore lint/suspicious/noThenProperty: the JSON Schema keyword
  then: { required: ['bridge', 'flow'] },
} as const satisfies JSONSchema

const ask = {
  type: 'object',
  properties: { v, type: { const: 'ask' }, id: name, host, question },
  required: ['v', 'type', 'id', 'host', 'question'],
} as const satisfies JSONSchema

/** Resources are named by key, as both sides write it: nothing else can be looked up. */
const portKey = { type: 'string', maxLength: 1024, pattern: '^port/[^/]+/[^/]+$' } as const satisfies JSONSchema
const networkKey = { type: 'string', maxLength: 1024, pattern: '^network/[^/]+/[^/]+$' } as const satisfies JSONSchema
const address = { type: 'string', minLength: 1, maxLength: 64 } as const satisfies JSONSchema

const holds = {
  type: 'object',
  properties: {
    revision: count,
    digest: version,
    ports: {
      type: 'array',
      maxItems: 100_000,
      items: {
        type: 'object',
        properties: { port: portKey, network: networkKey, mac: address, ips: { type: 'array', items: address } },
        required: ['port', 'network', 'mac', 'ips'],
      },
    },
    segments: {
      type: 'array',
      maxItems: 100_000,
      items: {
        type: 'object',
        properties: { network: networkKey, network_type: name, physical_network: name, segmentation_id: count },
        required: ['network', 'network_type'],
      },
    },
  },
  required: ['revision', 'digest', 'ports', 'segments'],
} as const satisfies JSONSchema

const origin = {
  type: 'object',
  properties: { place: name, name },
  required: ['place', 'name'],
} as const satisfies JSONSchema

const hello = {
  type: 'object',
  properties: {
    v,
    type: { const: 'hello' },
    id: name,
    host,
    epoch: name,
    version: name,
    speaks: { type: 'object', properties: { min: count, max: count }, required: ['min', 'max'] },
    origin,
    holds,
  },
  required: ['v', 'type', 'id', 'host', 'epoch', 'version'],
} as const satisfies JSONSchema

const pull = {
  type: 'object',
  properties: {
    v,
    type: { const: 'pull' },
    id: name,
    host,
    revision: count,
    scopes: {
      type: 'array',
      maxItems: 100_000,
      items: { type: 'object', properties: { scope: name, have: version }, required: ['scope'] },
    },
  },
  required: ['v', 'type', 'id', 'host'],
} as const satisfies JSONSchema

const objectStatus = {
  type: 'object',
  properties: {
    key: name,
    state: { enum: ['ACTIVE', 'BUILD', 'WAITING', 'DOWN', 'ERROR'] },
    cause: { type: 'string' },
    attempts: count,
    since: name,
  },
  required: ['key', 'state', 'attempts', 'since'],
} as const satisfies JSONSchema

const driftItem = {
  type: 'object',
  properties: {
    kind: { enum: ['missing', 'altered', 'foreign', 'stale'] },
    where: { type: 'string' },
    owners: { type: 'array', items: name },
    fields: {
      type: 'array',
      items: {
        type: 'object',
        properties: { field: { type: 'string' }, want: { type: 'string' }, have: { type: 'string' } },
        required: ['field'],
      },
    },
    since: name,
    action: { enum: ['report', 'repair', 'repaired', 'left alone'] },
  },
  required: ['kind', 'where', 'owners', 'fields', 'since', 'action'],
} as const satisfies JSONSchema

const verdict = { enum: ['ACCEPT', 'DROP'] } as const satisfies JSONSchema
const names = { type: 'array', maxItems: 10_000, items: name } as const satisfies JSONSchema
const octets = { type: 'integer', minimum: 0, maximum: 0xffff } as const satisfies JSONSchema

/** A packet, or how many there were too many. */
const logEntry = {
  type: 'object',
  properties: {
    time: { type: 'string', format: 'date-time', maxLength: 64 },
    verdict,
    direction: { enum: ['ingress', 'egress'] },
    port: portKey,
    logs: names,
    groups: names,
    group: name,
    rule: { type: 'string', maxLength: 2048 },
    cause: { enum: ['no rule', 'refused', 'invalid'] },
    ethertype: { enum: ['IPv4', 'IPv6'] },
    protocol: { type: 'integer', minimum: 0, maximum: 255 },
    src: address,
    dst: address,
    src_port: octets,
    dst_port: octets,
    icmp_type: octets,
    icmp_code: octets,
    src_mac: address,
    dst_mac: address,
    bytes: count,
    suppressed: count,
  },
  required: ['time', 'verdict'],
  if: { required: ['suppressed'] },
  // biome-ignore lint/suspicious/noThenProperty: the JSON Schema keyword
  then: {},
  else: {
    required: ['direction', 'port', 'logs', 'groups', 'ethertype', 'protocol', 'src', 'dst', 'src_mac', 'dst_mac', 'bytes'],
  },
} as const satisfies JSONSchema

const report = {
  type: 'object',
  properties: {
    v,
    type: { const: 'report' },
    id: name,
    host,
    epoch: name,
    revision: count,
    digest: version,
    converged: { type: 'boolean' },
    full: { type: 'boolean' },
    objects: { type: 'array', maxItems: 10_000, items: objectStatus },
    gone: { type: 'array', maxItems: 100_000, items: name },
    drift: { type: 'array', maxItems: 10_000, items: driftItem },
    facts: plainObject,
    allocations: plainObject,
    answer: {
      type: 'object',
      properties: { id: name, ok: { type: 'boolean' }, data: plainObject },
      required: ['id', 'ok', 'data'],
    },
    dataplane: { type: 'object', properties: { state: { enum: ['answers', 'silent'] }, since: name }, required: ['state', 'since'] },
    timings: { type: 'object', additionalProperties: { type: 'number' } },
    log: {
      type: 'object',
      properties: { first: count, entries: { type: 'array', maxItems: 1000, items: logEntry }, lost: count },
      required: ['first', 'entries'],
    },
  },
  required: ['v', 'type', 'id', 'host', 'epoch', 'revision', 'digest', 'converged', 'full', 'objects', 'gone'],
} as const satisfies JSONSchema

const helloReply = {
  type: 'object',
  properties: {
    v,
    id: name,
    type: { const: 'hello' },
    installation: { type: 'string' },
    epoch: name,
    seq: count,
    revision: count,
    commit,
    digest: version,
    endpoints: {
      type: 'object',
      properties: { pub: name, rpc: name, reports: name },
      required: ['pub', 'rpc', 'reports'],
    },
    heartbeat_ms: { type: 'integer', minimum: 1 },
    spread_ms: count,
  },
  required: ['v', 'id', 'type', 'installation', 'epoch', 'seq', 'revision', 'digest', 'endpoints', 'heartbeat_ms'],
} as const satisfies JSONSchema

const pullReply = {
  type: 'object',
  properties: {
    v,
    id: name,
    type: { const: 'pull' },
    epoch: name,
    seq: count,
    revision: count,
    commit,
    needs,
    contents: { type: 'array', items: content },
    deltas: { type: 'array', items: delta },
    more: { type: 'array', items: name },
  },
  required: ['v', 'id', 'type', 'epoch', 'seq', 'revision', 'needs', 'contents', 'deltas', 'more'],
} as const satisfies JSONSchema

const reportReply = {
  type: 'object',
  properties: {
    v,
    id: name,
    type: { const: 'report' },
    epoch: name,
    seq: count,
    revision: count,
    commit,
    digest: version,
    want_full: { type: 'boolean' },
    asks: { type: 'array', items: ask },
  },
  required: ['v', 'id', 'type', 'epoch', 'seq', 'revision', 'digest', 'want_full'],
} as const satisfies JSONSchema

const refused = {
  type: 'object',
  properties: {
    v,
    id: { type: 'string' },
    type: { const: 'refused' },
    code: { enum: ['version', 'unknown-host', 'malformed', 'not-ready', 'busy', 'unknown-revision', 'not-yours', 'signature', 'replayed'] },
    message: { type: 'string' },
    retry_after_ms: count,
    after: count,
  },
  required: ['v', 'id', 'type', 'code', 'message'],
  if: { properties: { v: { const: 1 } } },
  // biome-ignore lint/suspicious/noThenProperty: the JSON Schema keyword
  then: { properties: { code: { not: { const: 'busy' } } } },
} as const satisfies JSONSchema

export type ObjectSchema = Exclude<JSONSchema, boolean>

/** PUB: by the header's `type`. The frames after an update's header are checked by `deltaSchema`. */
export const publishedSchemas: Readonly<Record<'update' | 'heartbeat' | 'ask', ObjectSchema>> = { update, heartbeat, ask }
export const deltaSchema: ObjectSchema = delta
/** REQ, by `type`. */
export const requestSchemas: Readonly<Record<'hello' | 'pull' | 'report', ObjectSchema>> = { hello, pull, report }
/** Replies, by `type`. */
export const replySchemas: Readonly<Record<'hello' | 'pull' | 'report' | 'refused', ObjectSchema>> = {
  hello: helloReply,
  pull: pullReply,
  report: reportReply,
  refused,
}
