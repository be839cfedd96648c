import type { AttachIntent } from '../../../../src/model/intent.ts'
import type { Item } from '../../backend.ts'
import { flowItem, goto, output, set } from './build.ts'
import { cookieOf } from './cookie.ts'
import { guardItems } from './guard.ts'
import { ORIGIN } from './registers.ts'
import { UNTAGGED } from './words.ts'

/** What a local port's flows depend on besides its intent. */
export interface LocalContext {
  readonly network: number
  /** The port as a target. */
  readonly self: number
  /** Absent: not plugged. */
  readonly ofport?: number
}

/**
 * The way in and the way out of a port of this host. Its ofport stands in two flows only, so a port that is plugged anew changes nothing else.
 * A tagged frame matches nothing: guests do not reach into VLANs.
 */
export function localItems(attach: AttachIntent, context: LocalContext): readonly Item[] {
  const guarded = attach.port_security_enabled
  const guards = guarded ? guardItems(attach, context.self) : []
  if (context.ofport === undefined) return guards
  const common = { cookie: cookieOf(attach.port), owners: [attach.port] }
  const identity = [set('network', context.network), set('origin', ORIGIN.local), set('sender', context.self)]
  return [
    flowItem({
      ...common,
      table: 'classify',
      priority: 100,
      match: { in_port: context.ofport, ...UNTAGGED },
      actions: [...identity, goto(guarded ? 'guard_mac' : 'learn')],
    }),
    ...guards,
    flowItem({ ...common, table: 'output', priority: 50, registers: { target: context.self }, actions: [output(context.ofport)] }),
  ]
}
