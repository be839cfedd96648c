import type { IpFamily } from '../../../../src/lib/ip.ts'
import type { SnoopedNetwork } from '../compile/snoop.ts'
import { filteringFlow, hearingFlows, memberFlow, openFlow, routerFlow } from '../compile/snoop-flows.ts'
import type { Flow } from '../flow/types.ts'
import { ROBUSTNESS, type Said } from './messages.ts'

/*
 * Who is known to want what in one network, on one host. Plain data; `now` in milliseconds comes in. Whatever is in doubt (just begun, too much, nobody asks) is open: everyone gets everything,
 * as without snooping.
 */

/** Groups that one port may want at once; above it the port gets every group. */
export const GROUPS_PER_PORT = 128
/** Of all ports of a network here; above it the network is flooded. */
export const GROUPS_PER_NETWORK = 4096
/** Messages in a second above which some may have been lost on the way (`TOLD_PER_SECOND`): the network is flooded. */
export const HEARD_PER_SECOND = 200
/** Questions to one port, in a second, about groups that it left. */
export const ASKED_PER_SECOND = 16

export interface SnoopState {
  at: SnoopedNetwork
  readonly ports: Map<number, PortState>
  /** From when on it is known who wants what. */
  openUntil: number
  /** When the agent asks next; absent: others do. */
  askAt?: number
  /** Questions still to be asked in quick succession. */
  hurry: number
  readonly others: Readonly<Record<IpFamily, Others>>
  second: number
  heard: number
  /** When time last passed. */
  looked: number
  askedAt: number
  /** Other flows follow from it than before; whoever makes them sets it back. */
  changed: boolean
}

/** What is known of those who ask by themselves: by IGMP (4), by MLD (6). Where one is asked for, the other need not be. */
interface Others {
  /** When they asked first and last, without a long pause. */
  first?: number
  last?: number
  /** Seconds between their questions, when that is longer than ours. */
  interval: number
}

interface PortState {
  ofport: number
  /** It is not known (any more) what it wants. */
  openUntil: number
  routerUntil: number
  /** Questions about its groups within that second. */
  second: number
  asked: number
  readonly groups: Map<string, number>
}

/** A question to one port that left a group: somebody else behind it may still want it (RFC 2236, 3). */
export interface Ask {
  readonly network: number
  readonly target: number
  readonly family: IpFamily
  readonly group: string
}

const FAMILIES = [4, 6] as const
const SECOND = 1000
/** Within which hosts answer a general question (RFC 3376, 8.3), and one about a group (8.8). */
const RESPONSE = 10
const LAST_MEMBER = 1
/** For the way to the guest and back, for clocks that tick in steps, and for a question that has to wait since another was asked just now. */
const SLACK = 1500

/** Seconds within which hosts are to answer. */
export function responseTime({ at }: Pick<SnoopState, 'at'>): number {
  return Math.min(RESPONSE, at.query_interval / 2)
}

export const LAST_MEMBER_SECONDS: number = LAST_MEMBER

/** RFC 3376, 8.4: as long as a group lasts that nobody asked for again. */
function membership(state: SnoopState, family: IpFamily): number {
  return (ROBUSTNESS * state.others[family].interval + responseTime(state)) * SECOND
}

/** The longer one of both. */
function longest(state: SnoopState): number {
  return Math.max(membership(state, 4), membership(state, 6))
}

/** As long as it takes to hear everybody at least once. */
function learning(state: SnoopState): number {
  const one = responseTime(state) * SECOND
  const interval = Math.max(state.others[4].interval, state.others[6].interval) * SECOND
  return (state.at.querier ? ROBUSTNESS * one : interval + one) + SLACK
}

export function newState(at: SnoopedNetwork, now: number): SnoopState {
  const state: SnoopState = {
    at,
    ports: new Map(),
    openUntil: 0,
    hurry: 0,
    others: { 4: { interval: at.query_interval }, 6: { interval: at.query_interval } },
    second: 0,
    heard: 0,
    looked: now,
    askedAt: Number.NEGATIVE_INFINITY,
    changed: true,
  }
  learnAnew(state, now)
  follow(state, at, now)
  for (const port of state.ports.values()) port.openUntil = 0
  return state
}

/** Everything may have been missed: all is open until everybody was heard again. */
function learnAnew(state: SnoopState, now: number): void {
  state.openUntil = Math.max(state.openUntil, now + learning(state))
  askSoon(state, now)
}

function askSoon(state: SnoopState, now: number): void {
  if (!state.at.querier) return
  state.askAt = Math.min(state.askAt ?? Number.POSITIVE_INFINITY, Math.max(now, state.askedAt + SECOND))
  state.hurry = ROBUSTNESS
}

/** What the network is now. Of a port that is new here it is not known what it wants: its guest may have come from another host, and asked there. */
export function follow(state: SnoopState, at: SnoopedNetwork, now: number): void {
  const before = state.at
  state.at = at
  state.changed = true
  for (const family of FAMILIES) {
    const others = state.others[family]
    others.interval = before.query_interval === at.query_interval ? others.interval : at.query_interval
  }
  for (const target of [...state.ports.keys()]) if (!at.ports.has(target)) state.ports.delete(target)
  let fresh = false
  for (const [target, ofport] of at.ports) {
    if (state.ports.get(target)?.ofport === ofport) continue
    state.ports.set(target, { ofport, openUntil: now + learning(state), routerUntil: 0, second: 0, asked: 0, groups: new Map() })
    fresh = true
  }
  if (before.querier && !at.querier) delete state.askAt
  if (before.querier !== at.querier) learnAnew(state, now)
  else if (fresh) askSoon(state, now)
}

/** Takes in what was said; `target` is the local port that said it, undefined for somebody outside. Returns what is to be asked because of it. */
export function hear(state: SnoopState, said: Said, target: number | undefined, now: number): readonly Ask[] {
  const port = target === undefined ? undefined : state.ports.get(target)
  switch (said.kind) {
    case 'query':
      if (said.group === undefined) noteQuery(state, said, now)
      if (said.routed) noteRouter(state, port, now)
      return []
    case 'router':
      noteRouter(state, port, now)
      return []
    case 'report':
      if (port === undefined || target === undefined) return []
      for (const group of said.wants) join(state, port, group, now)
      return said.leaves.flatMap((group) => leave(state, port, group, now)).map((group) => ask(state, target, said.family, group))
    case 'unknown':
      return []
  }
}

function noteRouter(state: SnoopState, port: PortState | undefined, now: number): void {
  if (port === undefined) return
  state.changed ||= port.routerUntil <= now
  port.routerUntil = now + longest(state)
}

function ask({ at }: SnoopState, target: number, family: IpFamily, group: string): Ask {
  return { network: at.number, target, family, group }
}

function noteQuery(state: SnoopState, { family, seconds = 0 }: Extract<Said, { kind: 'query' }>, now: number): void {
  const others = state.others[family]
  const asked = isAsked(state, family, now)
  others.interval = Math.min(MOST_SECONDS, Math.max(state.at.query_interval, seconds))
  if (!asked) others.first = now
  others.last = now
}

/** A forged question must not keep groups for days. */
const MOST_SECONDS = 600

/** Others ask: the last question is not longer ago than two of them and the time to answer (RFC 3376, 8.5). */
function isAsked(state: SnoopState, family: IpFamily, now: number): boolean {
  const { last } = state.others[family]
  return last !== undefined && now <= last + membership(state, family)
}

function join(state: SnoopState, port: PortState, group: string, now: number): void {
  const until = now + membership(state, group.includes(':') ? 6 : 4)
  if (!port.groups.has(group)) {
    state.changed = true
    if (port.groups.size >= GROUPS_PER_PORT) {
      port.openUntil = Math.max(port.openUntil, until)
      return
    }
    if (countGroups(state) >= GROUPS_PER_NETWORK) {
      state.openUntil = Math.max(state.openUntil, until)
      return
    }
  }
  port.groups.set(group, until)
}

function countGroups({ ports }: SnoopState): number {
  let total = 0
  for (const { groups } of ports.values()) total += groups.size
  return total
}

/**
 * It is kept for as long as somebody else behind the port may say that he wants it. Who leaves what it has just left is not asked again, nor who leaves more than `ASKED_PER_SECOND`: a report of
 * one frame may name hundreds. What is not asked about then lasts as if nobody had left it.
 */
function leave(state: SnoopState, port: PortState, group: string, now: number): readonly string[] {
  const until = port.groups.get(group)
  const soon = now + ROBUSTNESS * LAST_MEMBER * SECOND
  if (until === undefined || until <= soon) return []
  if (state.at.querier && !mayAsk(port, now)) return []
  port.groups.set(group, soon)
  return state.at.querier ? [group] : []
}

function mayAsk(port: PortState, now: number): boolean {
  const second = Math.floor(now / SECOND)
  if (port.second !== second) {
    port.second = second
    port.asked = 0
  }
  return ++port.asked <= ASKED_PER_SECOND
}

/** Counts a message. True when they come so fast that some may be lost: the network is then open until everybody was asked again. */
export function count(state: SnoopState, now: number): boolean {
  const second = Math.floor(now / SECOND)
  if (state.second !== second) {
    state.second = second
    state.heard = 0
  }
  state.heard++
  if (state.heard <= HEARD_PER_SECOND) return false
  state.openUntil = Math.max(state.openUntil, now + longest(state))
  state.changed = true
  return state.heard === HEARD_PER_SECOND + 1
}

/** Lets time pass: what was not asked for again is forgotten. True when a general question is due. */
export function tick(state: SnoopState, now: number): boolean {
  const filtered = FAMILIES.filter((family) => isFiltering(state, family, state.looked)).join()
  for (const port of state.ports.values()) {
    for (const until of [port.openUntil, port.routerUntil]) state.changed ||= state.looked < until && until <= now
    for (const [group, until] of port.groups) {
      if (until > now) continue
      port.groups.delete(group)
      state.changed = true
    }
  }
  state.changed ||= FAMILIES.filter((family) => isFiltering(state, family, now)).join() !== filtered
  for (const family of FAMILIES) if (!isAsked(state, family, now)) forgetOthers(state, family)
  state.looked = now
  if (state.askAt === undefined || now < state.askAt) return false
  state.hurry = Math.max(0, state.hurry - 1)
  state.askedAt = now
  state.askAt = now + (state.hurry > 0 ? responseTime(state) : state.at.query_interval) * SECOND
  return true
}

function forgetOthers({ at, others }: SnoopState, family: IpFamily): void {
  delete others[family].first
  others[family].interval = at.query_interval
}

/** Whether copies are held back from ports that did not ask: somebody asks them, and all had time to answer. */
export function isFiltering(state: SnoopState, family: IpFamily, now: number): boolean {
  if (now < state.openUntil) return false
  if (state.at.querier) return true
  const { first } = state.others[family]
  return isAsked(state, family, now) && first !== undefined && now >= first + learning(state)
}

/** The flows that say so. */
export function flowsOf(state: SnoopState, now: number): readonly Flow[] {
  const { at } = state
  const flows: Flow[] = [...hearingFlows(at)]
  for (const family of FAMILIES) if (isFiltering(state, family, now)) flows.push(filteringFlow(at, family))
  for (const [target, port] of state.ports) {
    if (now < port.routerUntil) flows.push(routerFlow(at, target))
    if (now < port.openUntil) flows.push(openFlow(at, target))
    for (const group of port.groups.keys()) flows.push(memberFlow(at, target, group))
  }
  return flows
}
