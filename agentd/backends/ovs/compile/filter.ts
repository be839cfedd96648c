import type { Action, Match } from '../flow/types.ts'
import { type FlowSpec, goto, set } from './build.ts'
import { subfieldOf } from './registers.ts'
import { AFTER_EGRESS, AFTER_INGRESS } from './stages.ts'
import type { TableName } from './tables.ts'
import { ARP, ct, IP, IPV6, icmp6, RARP, UDP, UDP6 } from './words.ts'

type Part = Omit<FlowSpec, 'cookie' | 'owners'>

/** The tables of one direction, in their order, and where a frame goes that was let through. */
interface Side {
  readonly kind: TableName
  readonly state: TableName
  readonly rules: TableName
  readonly accept: TableName
  readonly onward: TableName
  /** What a guest needs to be on its network at all: no rule is asked. */
  readonly always: readonly Match[]
}

const DHCP_TO_SERVER: readonly Match[] = [udp(UDP, 68, 67), udp(UDP6, 546, 547)]
const DHCP_TO_CLIENT: readonly Match[] = [udp(UDP, 67, 68), udp(UDP6, 547, 546)]

/** MLD queries and reports, router solicitation, neighbour discovery: the guard has looked at who says them. */
const EGRESS: Side = {
  kind: 'egress',
  state: 'egress_state',
  rules: 'egress_rules',
  accept: 'egress_accept',
  onward: AFTER_EGRESS,
  always: [ARP, RARP, ...[130, 131, 132, 133, 135, 136, 143].map(icmp6), ...DHCP_TO_SERVER],
}

/** MLD queries, router advertisements, neighbour discovery. */
const INGRESS: Side = {
  kind: 'ingress_kind',
  state: 'ingress_state',
  rules: 'ingress_rules',
  accept: 'ingress_accept',
  onward: AFTER_INGRESS,
  always: [ARP, ...[130, 134, 135, 136].map(icmp6), ...DHCP_TO_CLIENT],
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
  ]
}

function sideParts(side: Side): Part[] {
  const pass = [goto(side.onward)]
  const ask = [goto(side.rules)]
  const state = (priority: number, match: Match, actions: Part['actions']): Part => ({ table: side.state, priority, match, actions })
  return [
    ...side.always.map((match): Part => ({ table: side.kind, priority: 100, match, actions: pass })),
    // Stateless groups: no zone, no connection; each direction has its own rules. What a sender on this host was found to have is not the receiver's.
    ...[IP, IPV6].map(
      (match): Part => ({ table: side.kind, priority: 60, registers: { zone: 0 }, match, actions: [{ kind: 'ct_clear' }, ...ask] }),
    ),
    ...[IP, IPV6].map((match): Part => ({ table: side.kind, priority: 50, match, actions: [track(side.state)] })),
    { table: side.kind, priority: 0, actions: [] },
    state(100, ct('+inv+trk'), []),
    // The rules have turned against this connection: what answers it is not wanted any more either.
    state(90, ct('+rpl+trk', REFUSED), []),
    state(80, ct('-new+est+rpl+trk'), pass),
    state(80, ct('-new+rel+trk', STANDS), pass),
    state(0, {}, ask),
    { table: side.rules, priority: 0, actions: [] },
    // Open vSwitch tracks IP only, and wants to see that a flow is about it.
    ...[IP, IPV6].flatMap((ip): Part[] => [
      // A connection that no rule lets through any more is remembered as refused, so that its other side falls silent too.
      { table: side.rules, priority: 10, match: { ...ip, ...ct('+est-rpl+trk', STANDS) }, actions: [commit(REFUSED_MARK)] },
      { table: side.accept, priority: 90, match: { ...ip, ...ct('+new+trk') }, actions: [commit(), ...pass] },
      { table: side.accept, priority: 80, match: { ...ip, ...ct('+est+trk', REFUSED) }, actions: [commit(0), ...pass] },
    ]),
    { table: side.accept, priority: 0, actions: pass },
  ]
}

/** `ct_mark` of a connection that was let through once and is not any more. */
const REFUSED_MARK = 1
const REFUSED: Match = { ct_mark: { value: BigInt(REFUSED_MARK) } }
const STANDS: Match = { ct_mark: { value: 0n } }

/** Looks the frame up among the connections of the port's zone; it goes on in `table` with what is known of it. */
function track(table: TableName): Action {
  const next = goto(table)
  if (next.kind !== 'goto_table') throw new Error('goto is a jump')
  return { kind: 'ct', zone: subfieldOf('zone'), table: next.table }
}

function commit(mark?: number): Action {
  const zone = subfieldOf('zone')
  if (mark === undefined) return { kind: 'ct', commit: true, zone }
  return { kind: 'ct', commit: true, zone, exec: [{ kind: 'set_field', field: 'ct_mark', value: BigInt(mark) }] }
}

function udp(base: Match, from: number, to: number): Match {
  return { ...base, udp_src: { value: BigInt(from) }, udp_dst: { value: BigInt(to) } }
}

/** What a port's frames carry through the tables of a direction: under which rules they are, and where its connections are kept. */
export function filterRegisters({ rules, zone }: { readonly rules: number; readonly zone: number }): readonly Action[] {
  return [set('zone', zone), set('rules', rules)]
}
