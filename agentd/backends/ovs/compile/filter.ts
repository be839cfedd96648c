import type { DropCause } from '../../../../src/model/log-entry.ts'
import { makeMatch } from '../flow/make.ts'
import type { Action, CtAction, Match } from '../flow/types.ts'
import { type FlowSpec, goto, set } from './build.ts'
import { table as tableOf } from './pipeline.ts'
import { subfieldOf } from './registers.ts'
import { AFTER_EGRESS, AFTER_INGRESS } from './stages.ts'
import type { TableName } from './tables.ts'
import { ARP, ct, IP, IPV6, icmp6, LATER_FRAGMENT, RARP, udp } from './words.ts'

type Part = Omit<FlowSpec, 'cookie' | 'owners'>

/** The tables of one direction, in their order, and where a frame goes that was let through. */
interface Side {
  readonly kind: TableName
  readonly state: TableName
  readonly rules: TableName
  readonly accept: TableName
  readonly kept: TableName
  readonly onward: TableName
  /** Mark of a connection that was begun in this direction. */
  readonly begun: number
  /** What a guest needs to be on its network at all: no rule is asked. */
  readonly always: readonly Match[]
}

/** Bits of `ct_mark`. Who began is remembered, because a zone holds both directions, and what answers is let pass without a rule: it must answer what was let out the other way. */
const REFUSED_MARK = 1
/** By the port. */
export const BEGUN_HERE = 2
/** By somebody else. */
export const BEGUN_THERE = 4

const WRONG_ICMP: readonly Match[] = [makeMatch({ eth_type: 0x86dd, ip_proto: 1 }), makeMatch({ eth_type: 0x0800, ip_proto: 58 })]

/** Who has come through a router does not speak to neighbours (RFC 4861, 3.1): it would have a hop less. MLD is to live for one hop (RFC 3810, 5). */
const ND_HOPS: Match = { nw_ttl: { value: 255n } }
const MLD_HOPS: Match = { nw_ttl: { value: 1n } }

function neighbourly(types: readonly number[]): readonly Match[] {
  return types.map((type) => ({ ...icmp6(type), ...(MLD.has(type) ? MLD_HOPS : ND_HOPS) }))
}

/** Query, report and done of MLDv1, report of MLDv2. */
const MLD: ReadonlySet<number> = new Set([130, 131, 132, 143])

const DHCP_TO_SERVER: readonly Match[] = [udp(4, 68, 67), udp(6, 546, 547)]
const DHCP_TO_CLIENT: readonly Match[] = [udp(4, 67, 68), udp(6, 547, 546)]

/** MLD queries and reports, router solicitation, neighbour discovery: the guard has looked at who says them. */
const EGRESS: Side = {
  kind: 'egress',
  state: 'egress_state',
  rules: 'egress_rules',
  accept: 'egress_accept',
  kept: 'egress_kept',
  onward: AFTER_EGRESS,
  begun: BEGUN_HERE,
  always: [ARP, RARP, ...neighbourly([130, 131, 132, 133, 135, 136, 143]), ...DHCP_TO_SERVER],
}

/** MLD queries, router advertisements, neighbour discovery. */
const INGRESS: Side = {
  kind: 'ingress_kind',
  state: 'ingress_state',
  rules: 'ingress_rules',
  accept: 'ingress_accept',
  kept: 'ingress_kept',
  onward: AFTER_INGRESS,
  begun: BEGUN_THERE,
  always: [ARP, ...neighbourly([130, 134, 135, 136]), ...DHCP_TO_CLIENT],
}

/**
 * Security groups, as far as it is the same for every port: what is tracked, what passes without a rule, and what becomes of a connection. A rule only says "accept", whatever
 * the state of the connection, so that it is one flow; what follows from the state stands here once.
 */
export function filterParts(): Part[] {
  return [
    // A port without security groups is under no rules.
    { table: 'egress', priority: 200, registers: { rules: 0 }, actions: [goto(AFTER_EGRESS)] },
    { table: 'ingress', priority: 0, actions: [goto(AFTER_INGRESS)] },
    ...sideParts(EGRESS),
    ...sideParts(INGRESS),
    // Who says it is the port, in a connection that the port began: nobody else goes on with that.
    { table: 'ingress_state', priority: 85, match: ct('-rpl+trk', marked(BEGUN_HERE)), actions: [] },
    // Somebody began under the port's name before the port did; its own word counts.
    ...[IP, IPV6].map(
      (ip): Part => ({
        table: 'egress_accept',
        priority: 75,
        match: { ...ip, ...ct('+est-rpl+trk', marked(BEGUN_THERE)) },
        actions: track('egress_kept', mark(BEGUN_HERE)),
      }),
    ),
  ]
}

function sideParts(side: Side): Part[] {
  const pass = [goto(side.onward)]
  const ask = [goto(side.rules)]
  const state = (priority: number, match: Match, actions: Part['actions']): Part => ({ table: side.state, priority, match, actions })
  return [
    ...side.always.map((match): Part => ({ table: side.kind, priority: 100, match, actions: pass })),
    // ICMP over the other IP version: nobody listens to it, and Open vSwitch could keep such a connection and not end it.
    ...WRONG_ICMP.map((match): Part => ({ table: side.kind, priority: 110, match, actions: [] })),
    // Stateless groups: no zone, no connection; each direction has its own rules. What a sender on this host was found to have is not the receiver's.
    ...[IP, IPV6].map(
      (match): Part => ({ table: side.kind, priority: 60, registers: { zone: 0 }, match, actions: [{ kind: 'ct_clear' }, ...ask] }),
    ),
    ...[IP, IPV6].map(
      (match): Part => ({ table: side.kind, priority: 50, match, actions: [{ kind: 'clone', actions: track(side.state) }] }),
    ),
    { table: side.kind, priority: 0, actions: [] },
    state(100, ct('+inv+trk'), []),
    state(100, NOT_LOOKED_UP, []),
    // The rules have turned against this connection: what answers it is not wanted any more either.
    state(90, ct('+rpl+trk', REFUSED), []),
    state(80, ct('-new+est+rpl+trk', unmarked(side.begun)), pass),
    state(80, ct('-new+rel+rpl+trk', unmarked(REFUSED_MARK | side.begun)), pass),
    state(80, ct('-new+rel-rpl+trk', STANDS), pass),
    state(0, {}, ask),
    { table: side.rules, priority: 0, actions: [] },
    // Open vSwitch tracks IP only, and wants to see that a flow is about it.
    ...[IP, IPV6].flatMap((ip): Part[] => [
      // Only the first fragment says what a packet is about. The others are let on with it: tracking puts the packet together, and one whose first fragment no
      // rule accepts is either of a connection that one did, or waits at `commit` for ever.
      { table: side.rules, priority: 20, match: { ...ip, ...LATER_FRAGMENT, ...ct('+trk', STANDS) }, actions: [goto(side.accept)] },
      // What says it answers, and answers nothing that was let out, is judged by its first fragment alone: nothing is kept that the others could wait for.
      { table: side.rules, priority: 25, match: { ...ip, ...LATER_FRAGMENT, ...ct('+rpl+trk', marked(side.begun)) }, actions: [] },
      // A connection that no rule lets through any more is remembered as refused, so that its other side falls silent too.
      {
        table: side.rules,
        priority: 10,
        match: { ...ip, ...ct('+est-rpl+trk', STANDS) },
        actions: track(undefined, mark(REFUSED_MARK | side.begun)),
      },
      { table: side.accept, priority: 90, match: { ...ip, ...ct('+new+trk') }, actions: track(side.kept, mark(side.begun)) },
      { table: side.accept, priority: 80, match: { ...ip, ...ct('+est+trk', REFUSED) }, actions: track(side.kept, mark(side.begun)) },
    ]),
    { table: side.accept, priority: 0, actions: pass },
    { table: side.kept, priority: 50, match: ct('-inv+trk'), actions: pass },
    { table: side.kept, priority: 0, actions: [] },
  ]
}

/** What is logged of a set of groups, and what a flow does to say so. */
export interface LoggedSet {
  readonly accept: boolean
  readonly drop: boolean
  readonly stateful: boolean
  readonly copy: (said: { readonly direction: 'egress' | 'ingress'; readonly cause?: DropCause }) => Action
}

/** Flows that do what those above do, and tell: just above each that ends a frame's way or lets a connection begin. To be told apart by the set. */
export function loggedParts(set: LoggedSet): Part[] {
  return [...loggedSide(EGRESS, 'egress', set), ...loggedSide(INGRESS, 'ingress', set)]
}

function loggedSide(side: Side, direction: 'egress' | 'ingress', { accept, drop, stateful, copy }: LoggedSet): Part[] {
  const part = (table: TableName, priority: number, match: Match, actions: Part['actions']): Part => ({ table, priority, match, actions })
  const accepts = (): Part[] => {
    const passed = copy({ direction })
    // No connection says that it has begun: each packet is told.
    if (!stateful) return [part(side.accept, 50, {}, [passed, goto(side.onward)])]
    return [IP, IPV6].flatMap((ip) => [
      part(side.accept, 95, { ...ip, ...ct('+new+trk', UNTOLD) }, [passed, ...track(side.kept, mark(side.begun, TOLD))]),
      part(side.accept, 85, { ...ip, ...ct('+est+trk', REFUSED) }, [passed, ...track(side.kept, mark(side.begun))]),
    ])
  }
  const drops = (): Part[] => {
    const dropped = (cause: DropCause): Action => copy({ direction, cause })
    const unasked = part(side.rules, 5, {}, [dropped('no rule')])
    if (!stateful) return [unasked]
    return [
      unasked,
      part(side.state, 110, ct('+inv+trk'), [dropped('invalid')]),
      part(side.state, 95, ct('+rpl+trk', REFUSED), [dropped('refused')]),
      ...[IP, IPV6].map((ip) =>
        part(side.rules, 15, { ...ip, ...ct('+est-rpl+trk', STANDS) }, [
          dropped('refused'),
          ...track(undefined, mark(REFUSED_MARK | side.begun)),
        ]),
      ),
    ]
  }
  return [...(accept ? accepts() : []), ...(drop ? drops() : [])]
}

/** It was let through once and is not any more; or it is still. */
const REFUSED: Match = marked(REFUSED_MARK)
const STANDS: Match = unmarked(REFUSED_MARK)

function marked(bit: number): Match {
  return { ct_mark: { value: BigInt(bit), mask: BigInt(bit) } }
}

function unmarked(bits: number): Match {
  return { ct_mark: { value: 0n, mask: BigInt(bits) } }
}

/** A connection is new until it is answered: a mark on it says that it was told of. */
const UNTOLD: Match = { ct_label: { value: 0n } }
const TOLD: Action = { kind: 'set_field', field: 'ct_label', value: 1n }

type Keeping = Partial<Pick<CtAction, 'commit' | 'exec'>>

function mark(value: number, ...more: readonly Action[]): Keeping {
  return { commit: true, exec: [{ kind: 'set_field', field: 'ct_mark', value: BigInt(value) }, ...more] }
}

/**
 * Looks the frame up among the connections of the port's zone, and keeps the connection where that is asked; it goes on in `table` with what is known of it. Open vSwitch (3.1, userspace; seen)
 * hands on fragments that it gave up waiting for, whose ever they are, behind any frame that it looks up, as if they belonged to it. They show no state, provided that they had none when they
 * came; so nothing else may be done with the frame in the same actions, and `table` drops what was not looked up. In a flood `clone` keeps them from the copies that follow.
 */
function track(table: TableName | undefined, keeping: Keeping = {}): readonly Action[] {
  const next = table === undefined ? {} : { table: tableOf(table).number }
  return [{ kind: 'ct_clear' }, { kind: 'ct', zone: subfieldOf('zone'), ...next, ...keeping }]
}

const NOT_LOOKED_UP: Match = ct('-trk')

/** What a port's frames carry through the tables of a direction: under which rules they are, and where its connections are kept. */
export function filterRegisters({ rules, zone }: { readonly rules: number; readonly zone: number }): readonly Action[] {
  return [set('zone', zone), set('rules', rules)]
}
