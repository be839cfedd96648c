import type { Key } from '../../../../src/model/key.ts'
import type { Facts, Item } from '../../backend.ts'
import type { Action } from '../flow/types.ts'
import { flowItem, goto, output, resubmit, set, setField } from './build.ts'
import { cookieOf } from './cookie.ts'
import { handOverItems, type Limits, UNLIMITED } from './limits.ts'
import { tunnelPort } from './names.ts'
import type { Numbers } from './numbers.ts'
import { target } from './registers.ts'
import { toPeer } from './segment.ts'
import { type Mirror, mirrorIds, mirrorName, type Tap } from './taps.ts'
import { outTagged } from './trunk.ts'
import { carrierOfport } from './wiring.ts'
import { addressMatch, UNTAGGED } from './words.ts'

/*
 * Copies of frames for tap services and mirrors. A copy is made on the way of the frame, in `clone`, so that nothing of it stays with the frame; it goes to `copy` and from there to a device,
 * and to no other table: it is not looked at by any rule, not learned from, not answered and not copied again.
 */

/** Copies for each of these, of the frame as it is now. */
export function copiesFor(targets: readonly number[]): readonly Action[] {
  return targets.map((number) => ({ kind: 'clone', actions: [set('target', number), resubmit('copy')] }))
}

/** A copy may leave by the port that its frame came in by (a tunnel; the interface of a trunk), which a switch else refuses. */
const FROM_NOWHERE: Action = { kind: 'load', dst: { field: 'in_port', start: 0, bits: 16 }, value: 0n }

/** The port of a service on this host, as far as it can be handed anything. */
export interface Receiver {
  readonly ofport: number
  /** Of a subport. */
  readonly vlan?: number
  readonly limits?: Limits
}

/** Where copies for a service go from here, and how those of other hosts come in: under the service's key, from a host with a source of it. */
export function tapItems(tap: Tap, receiver: Receiver | undefined, numbers: Numbers, facts: Facts): readonly Item[] {
  const { service, ends } = tap
  const common = { cookie: cookieOf(service.tap), owners: [service.tap] }
  const self = target('copy', numbers.of('copy', service.tap))
  const ofport = tap.carrier === undefined ? undefined : carrierOfport(tunnelPort(tap.carrier), facts, numbers)
  const key = BigInt(service.tunnel?.key ?? 0)
  const ips = (hosts: readonly string[]): readonly string[] => (ofport === undefined ? [] : hosts.flatMap((h) => ends.get(h) ?? []))
  const away = ips(tap.to).flatMap((ip) => [setField('tun_id', key), toPeer(ip), output(ofport ?? 0)])
  const arriving = ips(tap.from).map((ip) => {
    const { family, field } = addressMatch(ip)
    return flowItem({
      ...common,
      table: 'classify',
      priority: 90,
      match: {
        in_port: { value: BigInt(ofport ?? 0) },
        tun_id: { value: key },
        ...(family === 6 ? { tun_ipv6_src: field } : { tun_src: field }),
        ...UNTAGGED,
      },
      actions: [set('target', self), goto('copy')],
    })
  })
  return [...arriving, ...handingOver(self, away, receiver, common)]
}

/** To other hosts, then to the port here, which may hold what it receives to limits. */
function handingOver(
  self: number,
  away: readonly Action[],
  receiver: Receiver | undefined,
  common: { readonly cookie: bigint; readonly owners: readonly Key[] },
): readonly Item[] {
  const before = [FROM_NOWHERE, ...away]
  if (receiver === undefined)
    return away.length === 0 ? [] : [flowItem({ ...common, table: 'copy', priority: 50, registers: { target: self }, actions: before })]
  const { ofport, vlan, limits = UNLIMITED } = receiver
  const handOver = vlan === undefined ? [output(ofport)] : outTagged(vlan, ofport)
  return handOverItems(limits, self, handOver, common, { tables: ['copy', 'copy_limit', 'copy_limit_again'], before })
}

/** To the collector, under each number of the mirror. */
export function mirrorItems({ intent, carrier, reached }: Mirror, numbers: Numbers, facts: Facts): readonly Item[] {
  const ofport = reached ? carrierOfport(tunnelPort(carrier), facts, numbers) : undefined
  if (ofport === undefined) return []
  return mirrorIds(intent).map((id) =>
    flowItem({
      cookie: cookieOf(intent.mirror),
      owners: [intent.mirror],
      table: 'copy',
      priority: 50,
      registers: { target: target('copy', numbers.of('copy', mirrorName(intent, id))) },
      actions: [FROM_NOWHERE, setField('tun_id', BigInt(id)), toPeer(intent.remote_ip), output(ofport)],
    }),
  )
}
