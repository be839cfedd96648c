import { domainOf, type IgmpSnooping, type SegmentIntent } from '../../../../src/model/intent.ts'
import { type Key, makeKey } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import { makeMatch } from '../flow/make.ts'
import type { Action, Match } from '../flow/types.ts'
import { type FlowSpec, flowItem, goto, resubmit } from './build.ts'
import { cookieOf } from './cookie.ts'
import { type MeterConfig, meterItem } from './meters.ts'
import type { Numbers } from './numbers.ts'
import { ORIGIN } from './registers.ts'
import { AFTER_INGRESS, DELIVER, UNANSWERED } from './stages.ts'
import { tell } from './traps.ts'
import type { HostView, NetworkView } from './view.ts'
import { icmp6 } from './words.ts'

/*
 * IGMP and MLD snooping (RFC 4541), as far as it follows from intents: the agent is told what is said of groups, and copies of a multicast frame ask before they go on. Who gets them stands
 * in flows that the agent makes of what it hears (`snoop-flows.ts`, `snoop/`). Each host does this for its own ports; other hosts get every frame as before.
 */

type Part = Omit<FlowSpec, 'cookie' | 'owners'>

/** What a flow says of a message that goes no further: it counts for what its sender wants, and nobody has heard it ask. */
export const NOT_LET_OUT: Uint8Array = Uint8Array.of(1)

/** Told to the agent in a second, for each network: more than any calm network says. The agent lets a network be flooded that comes near (`snoop/state.ts`). */
const TOLD_PER_SECOND = 400

const IGMP: Match = makeMatch({ eth_type: 0x0800, ip_proto: 2 })
/** General queries. */
const IGMP_TO_ALL: Match = makeMatch({ eth_type: 0x0800, ip_proto: 2, ip_dst: '224.0.0.1' })
const IGMP_ON_LINK: Match = makeMatch({ eth_type: 0x0800, ip_proto: 2, ip_dst: '224.0.0.0/24' })
const PIM: readonly Match[] = [makeMatch({ eth_type: 0x0800, ip_proto: 103 }), makeMatch({ eth_type: 0x86dd, ip_proto: 103 })]
/** Report and done of MLDv1, report of MLDv2. */
const MLD_REPORTS: readonly Match[] = [131, 132, 143].map(icmp6)
const MLD_QUERY: Match = icmp6(130)

/** Groups that nobody has to ask for: those of the link (RFC 4541, 2.1.2 and 3), and what does not even leave the sender. */
const ON_LINK: readonly Match[] = [
  makeMatch({ eth_type: 0x0800, ip_dst: '224.0.0.0/24' }),
  makeMatch({ eth_type: 0x86dd, ipv6_dst: 'ff02::/ff0f::' }),
  makeMatch({ eth_type: 0x86dd, ipv6_dst: 'ff00::/ff0e::' }),
]
const TO_GROUPS: readonly Match[] = [
  makeMatch({ eth_type: 0x0800, ip_dst: '224.0.0.0/4' }),
  makeMatch({ eth_type: 0x86dd, ipv6_dst: 'ff00::/8' }),
]

/** What the driver goes by. */
export interface SnoopPlan {
  readonly host: Key
  readonly networks: readonly SnoopedNetwork[]
}

export interface SnoopedNetwork extends IgmpSnooping {
  /** As `domainOf` names it. */
  readonly domain: string
  readonly owner: Key
  /** In the pool `network`. */
  readonly number: number
  /** Ports of it that are here and up: their number as a target → where they are plugged. */
  readonly ports: ReadonlyMap<number, number>
}

/** Flows that every snooped network needs once. */
export function snoopSharedItems(hostName: string): readonly Item[] {
  const host = makeKey('host', '', hostName)
  const shared = (part: Part): Item => flowItem({ ...part, cookie: cookieOf(host), owners: [host] })
  const everyone = (priority: number, match: Match): Item => shared({ table: 'snoop', priority, match, actions: [] })
  return [
    // No frame but those that the agent sends comes from nowhere.
    shared({ table: 'snoop', priority: 100, registers: { origin: 0 }, actions: [] }),
    everyone(50, MLD_QUERY),
    ...ON_LINK.map((match) => everyone(40, match)),
    ...TO_GROUPS.map((match) => shared({ table: 'snoop', priority: 10, match, actions: [resubmit('snooping')] })),
    shared({ table: 'snoop_copy', priority: 50, registers: { snooped: 0 }, actions: [goto(DELIVER)] }),
    shared({ table: 'snoop_copy', priority: 0, actions: [goto('snooped')] }),
  ]
}

/** What the agent is told of one network. */
export function snoopItems(segment: SegmentIntent, network: number, meter: MeterConfig): readonly Item[] {
  const owners = [segment.network]
  const heard = tell('snoop', { meter: meter.meter })
  const part = (table: FlowSpec['table'], priority: number, match: Match, actions: readonly Action[], origin?: number): Item =>
    flowItem({
      table,
      priority,
      cookie: cookieOf(segment.network),
      owners,
      registers: { network, ...(origin === undefined ? {} : { origin }) },
      match,
      actions,
    })
  const onward = goto(UNANSWERED)
  const told = (priority: number, match: Match, origin?: number): Item => part('responder', priority, match, [heard, onward], origin)
  return [
    meterItem(owners, meter),
    ...[IGMP, ...MLD_REPORTS, ...PIM].map((match) => told(80, match, ORIGIN.local)),
    // What ports of other hosts ask for is their hosts' business; who asks, and about which group, is not.
    told(70, IGMP_TO_ALL),
    part('responder', 60, IGMP_ON_LINK, [onward]),
    told(50, IGMP),
    told(70, MLD_QUERY),
    // A report that no rule lets out: the sender wants the group all the same, and would get it without snooping.
    part('egress_rules', 5, IGMP, [tell('snoop', { meter: meter.meter, data: NOT_LET_OUT })]),
    // As MLD queries do: a host that is not asked is forgotten.
    part('ingress_kind', 100, IGMP_TO_ALL, [goto(AFTER_INGRESS)]),
  ]
}

function meterName(domain: string): string {
  return `snoop ${domain}`
}

/** Names of the meters of all snooped networks, in the pool of numbers. */
export function snoopMeterNames({ networks }: Pick<HostView, 'networks'>): readonly string[] {
  return networks.filter(isSnooped).map(({ id }) => meterName(id))
}

export function isSnooped({ segment }: Pick<NetworkView, 'segment'>): boolean {
  return segment.igmp_snooping !== undefined && segment.admin_state_up
}

export function snoopMeter(segment: SegmentIntent, numbers: Numbers): MeterConfig {
  return {
    meter: numbers.of('meter', meterName(domainOf(segment))),
    unit: 'pktps',
    bands: [{ type: 'drop', rate: TOLD_PER_SECOND, burst: TOLD_PER_SECOND }],
  }
}
