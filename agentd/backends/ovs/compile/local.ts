import type { AttachIntent } from '../../../../src/model/intent.ts'
import type { Item } from '../../backend.ts'
import { type FlowSpec, flowItem, goto, output, set } from './build.ts'
import { cookieOf } from './cookie.ts'
import { filterRegisters } from './filter.ts'
import { guardItems } from './guard.ts'
import { ORIGIN } from './registers.ts'
import { AFTER_EGRESS, AFTER_RESPONDER } from './stages.ts'
import { UNTAGGED } from './words.ts'

/** What a local port's flows depend on besides its intent. */
export interface LocalContext {
  readonly network: number
  /** The port as a target. */
  readonly self: number
  /** Absent: not plugged. */
  readonly ofport?: number
  /** Its security groups, as numbers of this host. Absent: it has none, and nothing is filtered. */
  readonly filter?: { readonly rules: number; readonly zone: number }
}

/**
 * The way in and the way out of a port of this host. Its ofport stands in two flows only, so a port that is plugged anew changes nothing else.
 * A tagged frame matches nothing: guests do not reach into VLANs.
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
    actions: [set('target', 0), goto(AFTER_RESPONDER)],
  })
  const unplugged = [own, ...(guarded ? guardItems(attach, context.self) : []), ...towards(context, common)]
  if (context.ofport === undefined) return unplugged
  const rules = context.filter === undefined ? [] : filterRegisters(context.filter)
  const identity = [set('network', context.network), set('origin', ORIGIN.local), set('sender', context.self), ...rules]
  return [
    flowItem({
      ...common,
      table: 'classify',
      priority: 100,
      match: { in_port: { value: BigInt(context.ofport) }, ...UNTAGGED },
      actions: [...identity, goto(guarded ? 'guard' : AFTER_EGRESS)],
    }),
    ...unplugged,
    flowItem({ ...common, table: 'output', priority: 50, registers: { target: context.self }, actions: [output(context.ofport)] }),
  ]
}

/** What comes to a port with security groups is under their rules before it is handed over. */
function towards({ filter, self }: LocalContext, common: Pick<FlowSpec, 'cookie' | 'owners'>): readonly Item[] {
  if (filter === undefined) return []
  const actions = [...filterRegisters(filter), goto('ingress_kind')]
  return [flowItem({ ...common, table: 'ingress', priority: 50, registers: { target: self }, actions })]
}
