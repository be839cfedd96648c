import fc from 'fast-check'
import { type FieldName, fieldOf } from '../../../../../agentd/backends/ovs/flow/fields.ts'
import {
  type Action,
  HASH_FIELDS,
  type LearnSpec,
  LINK_ALGORITHMS,
  type Nat,
  PORT,
  type Subfield,
} from '../../../../../agentd/backends/ovs/flow/types.ts'
import { big, type Kind } from './arbitrary-match.ts'

const SUBFIELDS: readonly FieldName[] = ['reg0', 'reg3', 'reg15', 'metadata', 'tun_id', 'eth_src', 'eth_dst', 'ct_mark', 'pkt_mark']

function subfieldOf(names: readonly FieldName[]): fc.Arbitrary<Subfield> {
  return fc.constantFrom(...names).chain((field) => {
    const { bits } = fieldOf(field)
    return fc
      .tuple(fc.integer({ min: 0, max: bits - 1 }), fc.integer({ min: 1, max: Math.min(bits, 64) }))
      .map(([start, width]) => ({ field, start, bits: Math.min(width, bits - start) }))
  })
}

const within = (s: Subfield): fc.Arbitrary<bigint> => big(s.bits).map((v) => v & ((1n << BigInt(s.bits)) - 1n))
const WRITABLE: readonly FieldName[] = ['reg0', 'reg3', 'reg15', 'metadata', 'tun_id', 'eth_src', 'eth_dst', 'pkt_mark']
const load: fc.Arbitrary<Action> = subfieldOf(WRITABLE).chain((dst) => within(dst).map((value): Action => ({ kind: 'load', dst, value })))

function moveOf(width: number): fc.Arbitrary<[Subfield, Subfield]> {
  const one = (names: readonly FieldName[]): fc.Arbitrary<Subfield> =>
    fc
      .constantFrom(...names)
      .chain((field) => fc.integer({ min: 0, max: fieldOf(field).bits - width }).map((start) => ({ field, start, bits: width })))
  return fc.tuple(one(SUBFIELDS), one(WRITABLE))
}

const SET_ALWAYS: readonly FieldName[] = [
  'eth_src',
  'eth_dst',
  'tun_id',
  'tun_src',
  'tun_ipv6_dst',
  'reg1',
  'reg14',
  'metadata',
  'pkt_mark',
  'xreg2',
  'xxreg1',
]
const SET_ALSO: Readonly<Partial<Record<Kind, readonly FieldName[]>>> = {
  tcp: ['ip_src', 'ip_dst', 'tcp_dst', 'ip_dscp', 'nw_ttl'],
  udp: ['ip_dst', 'udp_src', 'ip_ecn'],
  tcp6: ['ipv6_dst', 'tcp_src', 'ipv6_label'],
  arp: ['arp_op', 'arp_spa', 'arp_tha'],
  nd_ns: ['nd_target', 'nd_sll', 'nd_reserved'],
  nd_na: ['nd_target', 'nd_tll', 'nd_options_type'],
}

function setField(kind: Kind): fc.Arbitrary<Action> {
  return fc
    .constantFrom(...SET_ALWAYS, ...(SET_ALSO[kind] ?? []))
    .chain((field) => big(field === 'arp_op' ? 8 : fieldOf(field).bits).map((value): Action => ({ kind: 'set_field', field, value })))
}

const port = fc.integer({ min: 1, max: 65279 })
const table = fc.integer({ min: 0, max: 253 })

const simple: fc.Arbitrary<Action> = fc.oneof(
  port.map((p): Action => ({ kind: 'output', port: p })),
  fc.constantFrom<Action>(
    { kind: 'output', port: PORT.IN_PORT },
    { kind: 'output', port: PORT.LOCAL },
    { kind: 'ct_clear' },
    { kind: 'pop_queue' },
  ),
  table.map((t): Action => ({ kind: 'resubmit', table: t })),
  fc.tuple(port, table).map(([p, t]): Action => ({ kind: 'resubmit', port: p, table: t })),
  subfieldOf(['reg0', 'reg15']).map((src): Action => ({ kind: 'output_reg', src })),
  fc.integer({ min: 0, max: 1000 }).map((queue): Action => ({ kind: 'set_queue', queue })),
  fc
    .tuple(fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 0, max: 31 }))
    .map(([size, start]): Action => ({ kind: 'check_pkt_larger', size, dst: { field: 'reg9', start, bits: 1 } })),
  fc
    .tuple(
      fc.constantFrom(...HASH_FIELDS),
      fc.integer({ min: 0, max: 65535 }),
      fc.constantFrom(...LINK_ALGORITHMS),
      fc.integer({ min: 1, max: 65535 }),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    )
    .map(
      ([fields, basis, algorithm, links, arg]): Action => ({
        kind: 'multipath',
        fields,
        basis,
        algorithm,
        links,
        arg,
        dst: { field: 'reg6', start: 3, bits: 16 },
      }),
    ),
  subfieldOf(['reg2', 'xxreg0', 'metadata']).map((src): Action => ({ kind: 'push', src })),
  subfieldOf(['reg2', 'metadata']).map((dst): Action => ({ kind: 'pop', dst })),
  fc.uint8Array({ minLength: 6, maxLength: 6 }).map((d): Action => ({ kind: 'note', data: Buffer.from(d).toString('hex') })),
  controller(),
  load,
  fc
    .integer({ min: 1, max: 32 })
    .chain(moveOf)
    .map(([src, dst]): Action => ({ kind: 'move', src, dst })),
)

function controller(): fc.Arbitrary<Action> {
  return fc
    .record(
      {
        max_len: fc.integer({ min: 0, max: 65534 }),
        id: fc.integer({ min: 1, max: 65535 }),
        reason: fc.constantFrom('no_match', 'invalid_ttl'),
        userdata: fc.constantFrom('01', '0102030405060708'),
        pause: fc.constant(true as const),
      },
      { requiredKeys: [] },
    )
    .map((rest): Action => ({ kind: 'controller', ...(rest as object) }))
}

function natOf(bits: 32 | 128): fc.Arbitrary<Nat> {
  const address = fc.bigInt(1n, (1n << BigInt(bits)) - 2n)
  const range = fc.tuple(
    fc.constantFrom('src', 'dst'),
    address,
    fc.option(fc.bigInt(1n, 1000n)),
    fc.option(fc.tuple(fc.integer({ min: 1, max: 60000 }), fc.option(fc.integer({ min: 1, max: 5000 })))),
    fc.constantFrom({}, { persistent: true }, { hash: true }, { random: true, persistent: true }),
  )
  return fc.oneof(
    fc.constantFrom<Nat>({}, { kind: 'src' }, { kind: 'dst' }),
    range.map(([kind, min, more, ports, flags]) => {
      const max = more === null || min + more >= 1n << BigInt(bits) ? {} : { max: min + more }
      const upper = ports === null || ports[1] === null ? {} : { port_max: ports[0] + ports[1] }
      return {
        kind,
        family: bits === 32 ? 4 : 6,
        min,
        ...max,
        ...(ports === null ? {} : { port_min: ports[0], ...upper }),
        ...flags,
      } as Nat
    }),
  )
}

function ct(kind: Kind): fc.Arbitrary<Action> {
  const zone = fc.option(
    fc.oneof(
      fc.integer({ min: 1, max: 65535 }),
      fc.constantFrom<Subfield>({ field: 'reg6', start: 0, bits: 16 }, { field: 'reg7', start: 16, bits: 16 }),
    ),
    { nil: undefined },
  )
  const nat =
    kind === 'tcp' || kind === 'ip'
      ? fc.option(natOf(32), { nil: undefined })
      : kind === 'tcp6'
        ? fc.option(natOf(128), { nil: undefined })
        : fc.constant(undefined)
  const exec = fc.option(
    fc.constantFrom<Action[]>(
      [{ kind: 'set_field', field: 'ct_mark', value: 5n }],
      [{ kind: 'load', dst: { field: 'ct_label', start: 3, bits: 5 }, value: 7n }],
    ),
    { nil: undefined },
  )
  return fc
    .tuple(zone, nat, exec, fc.option(table, { nil: undefined }), fc.boolean(), fc.boolean())
    .map(([z, n, e, t, commit, force]): Action => {
      const must = commit || e !== undefined || (n !== undefined && n.kind !== undefined)
      return {
        kind: 'ct',
        ...(must ? { commit: true as const } : {}),
        ...(must && force ? { force: true as const } : {}),
        ...(z === undefined ? {} : { zone: z }),
        ...(t === undefined ? {} : { table: t }),
        ...(n === undefined ? {} : { nat: n }),
        ...(e === undefined ? {} : { exec: e }),
        ...(kind === 'tcp' && force ? { alg: 'ftp' as const } : {}),
      }
    })
}

function learn(): fc.Arbitrary<Action> {
  const spec = fc.oneof<fc.Arbitrary<LearnSpec>[]>(
    subfieldOf(['reg0', 'metadata', 'eth_dst', 'vlan_tci']).chain((dst) =>
      within(dst).map((src): LearnSpec => ({ kind: 'match', dst, src })),
    ),
    fc
      .integer({ min: 1, max: 32 })
      .chain(moveOf)
      .map(([src, dst]): LearnSpec => ({ kind: 'match', dst: src, src: dst })),
    fc
      .integer({ min: 1, max: 32 })
      .chain(moveOf)
      .map(([src, dst]): LearnSpec => ({ kind: 'load', src, dst })),
    subfieldOf(WRITABLE).chain((dst) => within(dst).map((src): LearnSpec => ({ kind: 'load', dst, src }))),
    subfieldOf(['reg0', 'in_port']).map((src): LearnSpec => ({ kind: 'output', src })),
  )
  const seconds = fc.integer({ min: 1, max: 65535 })
  return fc
    .record(
      {
        table,
        specs: fc.array(spec, { maxLength: 5 }),
        idle_timeout: seconds,
        hard_timeout: seconds,
        fin_idle_timeout: seconds,
        priority: fc.integer({ min: 0, max: 32767 }),
        cookie: fc.bigInt(1n, (1n << 64n) - 1n),
        send_flow_rem: fc.constant(true),
        delete_learned: fc.constant(true),
        limit: fc.integer({ min: 1, max: 1 << 30 }),
        result: fc.constant({ field: 'reg8', start: 5, bits: 1 }),
      },
      { requiredKeys: ['table', 'specs'] },
    )
    .map((rest) => ({ kind: 'learn', ...rest }) as Action)
}

/** Up to six actions that OVS accepts for packets of this kind. */
export function actionsOf(kind: Kind): fc.Arbitrary<Action[]> {
  const ip = !['any', 'arp', 'other'].includes(kind)
  const one = fc.oneof(
    { weight: 8, arbitrary: simple },
    { weight: 4, arbitrary: setField(kind) },
    ...(ip ? [{ weight: 3, arbitrary: ct(kind) }] : []),
    { weight: 1, arbitrary: learn() },
  )
  const list = fc.array(
    fc.oneof(
      { weight: 9, arbitrary: one },
      { weight: 1, arbitrary: fc.array(simple, { maxLength: 3 }).map((actions): Action => ({ kind: 'clone', actions })) },
    ),
    { maxLength: 6 },
  )
  const last = fc.option(fc.oneof(fc.integer({ min: 1, max: 100 }), fc.bigInt(0n, 5n)), { nil: undefined })
  return fc.oneof(
    {
      weight: 12,
      arbitrary: fc
        .tuple(list, last, fc.boolean())
        .map(([actions, extra, ttl]) => withInstructions(ip && ttl ? [...actions, { kind: 'dec_ttl' }] : actions, extra)),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.integer({ min: 1, max: 99999 }), fc.integer({ min: 2, max: 5 }))
        .map(([id, clauses]): Action[] => [{ kind: 'conjunction', id, clause: 1 + (id % clauses), clauses }]),
    },
  )
}

function withInstructions(actions: Action[], extra: number | bigint | undefined): Action[] {
  if (typeof extra === 'number') return [...actions, { kind: 'goto_table', table: extra + 150 }]
  if (extra !== undefined)
    return [...actions, { kind: 'write_metadata', value: extra & 6n, mask: 0xff06n }, { kind: 'goto_table', table: 253 }]
  return actions
}
