import type { IpFamily } from '../../../../src/lib/ip.ts'
import type { Key } from '../../../../src/model/key.ts'
import { makeMatch } from '../flow/make.ts'
import type { Action, Flow, Match } from '../flow/types.ts'
import { type FlowSpec, flowItem, goto, resubmit, set, setField } from './build.ts'
import { cookieOf, cookieOfSet } from './cookie.ts'
import type { SnoopedNetwork } from './snoop.ts'
import { DELIVER } from './stages.ts'
import type { FlowValue } from './values.ts'
import { addressMatch, IP, IPV6, icmp6 } from './words.ts'

/*
 * Flows that the agent makes of what it hears of multicast groups. They follow from no intent, so neither plan nor drift knows them (`isHeard`); `driver/snooper.ts` keeps them right.
 */

type Where = Pick<SnoopedNetwork, 'domain' | 'number'>

/** Values of the register `snooped`. */
const FOR_MEMBERS = 1
const FOR_ROUTERS = 2

/** Without it nobody looks at any of the others: it runs out when the agent does not make it anew in time. */
export function aliveFlow(host: Key, seconds: number): Flow {
  const flow = flowOf({ table: 'snooping', priority: 10, cookie: cookieOf(host), actions: [goto('snooped')] })
  return { ...flow, hard_timeout: seconds }
}

/**
 * The agent hears: reports that go to the group itself are for routers only. A host that hears another's keeps silent (RFC 2236, RFC 2710), and would be forgotten. OVS does not show what an
 * IGMP message is, so queries about one group are held back, too; the agent sends them on.
 */
export function hearingFlows(where: Where): readonly Flow[] {
  return [makeMatch({ eth_type: 0x0800, ip_proto: 2 }), icmp6(131)].map((match) => flow(where, 110, { snooped: 0 }, match, FOR_ROUTERS))
}

/** Members are known: nobody else needs a copy. */
export function filteringFlow(where: Where, family: IpFamily): Flow {
  return flow(where, 100, { snooped: 0 }, family === 4 ? IP : IPV6, FOR_MEMBERS)
}

/** A port behind which is a router: it gets all groups, and what is said of them. */
export function routerFlow(where: Where, target: number): Flow {
  return flow(where, 50, { target }, {})
}

/** A port of which it is not known yet, or not any more, what it asked for: it gets all groups. */
export function openFlow(where: Where, target: number): Flow {
  return flow(where, 50, { snooped: FOR_MEMBERS, target }, {})
}

export function memberFlow(where: Where, target: number, group: string): Flow {
  const { family, field } = addressMatch(group)
  const match: Match = family === 4 ? { ...IP, ip_dst: field } : { ...IPV6, ipv6_dst: field }
  return flow(where, 40, { snooped: FOR_MEMBERS, target }, match)
}

function flow(
  { domain, number }: Where,
  priority: number,
  registers: NonNullable<FlowSpec['registers']>,
  match: Match,
  mark?: number,
): Flow {
  const actions = mark === undefined ? [goto(DELIVER)] : [set('snooped', mark)]
  const cookie = cookieOfSet(`snooped ${domain}`)
  return flowOf({ table: 'snooped', priority, cookie, registers: { network: number, ...registers }, match, actions })
}

function flowOf(spec: Omit<FlowSpec, 'owners'>): Flow {
  return (flowItem({ ...spec, owners: [] }).value as FlowValue).flow
}

/** What becomes of a frame that the agent sends: it goes to all local ports of the network. */
export function toAll(network: number): readonly Action[] {
  return [setField('metadata', BigInt(network)), resubmit('flood')]
}

/** To one port, past the rules. */
export function toOne(network: number, target: number): readonly Action[] {
  return [setField('metadata', BigInt(network)), set('target', target), resubmit('output')]
}
