import type { AttachIntent } from '../../../../src/model/intent.ts'
import type { Item } from '../../backend.ts'
import { PORT } from '../flow/types.ts'
import { type FlowSpec, flowItem, goto, output, POP_TAG, set } from './build.ts'
import { cookieOf } from './cookie.ts'
import { copiesFor } from './copies.ts'
import { filterRegisters } from './filter.ts'
import { guardItems } from './guard.ts'
import { egressActions, handOverItems, type Limits, meterItems, sentItems, UNLIMITED } from './limits.ts'
import { ORIGIN } from './registers.ts'
import { backTo } from './routing.ts'
import { answersTo } from './shared.ts'
import { AFTER_EGRESS, UNANSWERED } from './stages.ts'
import type { Copies } from './taps.ts'
import { outTagged } from './trunk.ts'
import { tagged, UNTAGGED } from './words.ts'

/** What a local port's flows depend on besides its intent. */
export interface LocalContext {
  readonly network: number
  /** The port as a target. */
  readonly self: number
  /** Absent: not plugged. */
  readonly ofport?: number
  /** Of a subport: the VLAN id of its frames there. */
  readonly vlan?: number
  /** Its security groups, as numbers of this host. Absent: it has none, and nothing is filtered. */
  readonly filter?: { readonly rules: number; readonly zone: number }
  /** Its QoS policy. Absent: nothing holds it back. */
  readonly limits?: Limits
  /** Routers are on its network. */
  readonly routed?: true
  /** Who listens to it. Absent: nobody. */
  readonly copies?: Copies
}

const UNHEARD: Copies = { sent: [], received: [] }

/**
 * The way in and the way out of a port of this host. Its ofport stands in two flows only, so a port that is plugged anew changes nothing else.
 * A tagged frame matches nothing but a subport's own: guests do not reach into VLANs. What the switch answers a subport is tagged for it, too.
 * Copies are made of what it sends within its limits, before anything is asked about it, and of what is certain to be handed to it; they have no tag.
 */
export function localItems(attach: AttachIntent, context: LocalContext): readonly Item[] {
  const guarded = attach.port_security_enabled
  const common = { cookie: cookieOf(attach.port), owners: [attach.port] }
  // Its own question for its own address is how it announces itself and looks for a double: everyone is to hear it.
  const own = flowItem({
    ...common,
    table: 'respond',
    priority: 100,
    registers: { sender: context.self, target: context.self },
    actions: [set('target', 0), goto(UNANSWERED)],
  })
  const limits = context.limits ?? UNLIMITED
  const unplugged = [
    own,
    ...(guarded ? guardItems(attach, context.self) : []),
    ...towards(attach, context, common),
    ...meterItems(attach.port, limits),
    ...sentItems(limits, context.self, common),
  ]
  if (context.ofport === undefined) return unplugged
  const { ofport, vlan, copies = UNHEARD } = context
  const rules = context.filter === undefined ? [] : filterRegisters(context.filter)
  const identity = [set('network', context.network), set('origin', ORIGIN.local), set('sender', context.self), ...rules]
  const untag = vlan === undefined ? [] : [POP_TAG]
  const { first, next } = egressActions(limits)
  const received = copiesFor(copies.received)
  const answers = [...received, ...(vlan === undefined ? [output(PORT.IN_PORT)] : outTagged(vlan, PORT.IN_PORT))]
  return [
    flowItem({
      ...common,
      table: 'classify',
      priority: 100,
      match: { in_port: { value: BigInt(ofport) }, ...(vlan === undefined ? UNTAGGED : tagged(vlan)) },
      actions: [...first, ...untag, ...identity, ...next, ...copiesFor(copies.sent), goto(guarded ? 'guard' : AFTER_EGRESS)],
    }),
    ...unplugged,
    ...handOverItems(limits, context.self, [...received, ...(vlan === undefined ? [output(ofport)] : outTagged(vlan, ofport))], common),
    ...(received.length === 0 ? [] : [unheard(context.self, common)]),
    ...(answers.length === 1
      ? []
      : [...answersTo(context.self, answers), ...(context.routed ? [backTo(context.self, answers)] : [])].map((part) =>
          flowItem({ ...common, ...part }),
        )),
  ]
}

/** It is among those to whom its own frames are flooded. Open vSwitch sends nothing back by the port it came in by; but who listens would take that for something received. */
function unheard(self: number, common: Pick<FlowSpec, 'cookie' | 'owners'>): Item {
  return flowItem({ ...common, table: 'output', priority: 60, registers: { sender: self, target: self }, actions: [] })
}

/** What comes to a port with security groups is under their rules before it is handed over. */
function towards(attach: AttachIntent, { filter, self }: LocalContext, common: Pick<FlowSpec, 'cookie' | 'owners'>): readonly Item[] {
  if (filter === undefined) return []
  const actions = [...filterRegisters(filter), goto('ingress_kind')]
  const judged = flowItem({ ...common, table: 'ingress', priority: 50, registers: { target: self }, actions })
  return isShared(attach)
    ? [judged, flowItem({ ...common, table: 'ingress', priority: 60, registers: { sender: self, target: self }, actions: [] })]
    : [judged]
}

/**
 * It may use a MAC besides its own, and is among those to whom unicast to that MAC is flooded, its own too. Open vSwitch sends nothing back by the port it came in by; but the rules would look
 * at that copy before, and where they let nothing in, refuse the very connection that the port begins: its answers would be dropped.
 */
function isShared({ allowed, mac }: AttachIntent): boolean {
  return allowed.some((a) => a.mac !== mac)
}
