import type { AttachIntent, QosIntent, RateLimit, TrafficLimits } from '../../../../src/model/intent.ts'
import type { Key } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import type { Action } from '../flow/types.ts'
import { type FlowSpec, flowItem, resubmit, setField } from './build.ts'
import { type MeterConfig, meterItem } from './meters.ts'
import type { Numbers } from './numbers.ts'
import { subfieldOf } from './registers.ts'
import type { HostView } from './view.ts'
import { IP, IPV6 } from './words.ts'

/*
 * QoS. What a guest sends is held against its meters in the first table, before anything is copied: each frame counts once. What it receives is held against them last, when it is certain to
 * be handed over. A meter has one unit, and OpenFlow 1.4 lets a flow name one meter: a second limit of one direction takes a second flow.
 */

/** A port's QoS policy in meters of this host; of each direction the meters that its frames pass, one after the other. */
export interface Limits {
  readonly egress: readonly MeterConfig[]
  readonly ingress: readonly MeterConfig[]
  readonly dscp?: number
}

export const UNLIMITED: Limits = { egress: [], ingress: [] }

const DIRECTIONS = ['egress', 'ingress'] as const
const MEASURES = ['bits', 'packets'] as const

/** What a port is limited to; undefined where nothing holds it back or marks it. */
export function qosOf(port: Key, { portPolicies, policies }: HostView['qos']): QosIntent | undefined {
  const policy = portPolicies.get(port)
  const qos = policy === undefined ? undefined : policies.get(policy)
  return qos?.egress === undefined && qos?.ingress === undefined && qos?.dscp_mark === undefined ? undefined : qos
}

/** Names of the meters of all ports here, in the pool of numbers. */
export function meterNames({ attaches, qos }: Pick<HostView, 'attaches' | 'qos'>): readonly string[] {
  return attaches.flatMap(({ port }) => {
    const policy = qosOf(port, qos)
    if (policy === undefined) return []
    return DIRECTIONS.flatMap((d) => MEASURES.flatMap((m) => (policy[d]?.[m] === undefined ? [] : [meterName(port, d, m)])))
  })
}

function meterName(port: Key, direction: (typeof DIRECTIONS)[number], measure: keyof TrafficLimits): string {
  return `${port} ${direction} ${measure}`
}

export function limitsOf({ port, mtu }: AttachIntent, qos: QosIntent, numbers: Numbers): Limits {
  const meters = (direction: (typeof DIRECTIONS)[number]): MeterConfig[] =>
    MEASURES.flatMap((measure) => {
      const limit = qos[direction]?.[measure]
      if (limit === undefined) return []
      const number = numbers.of('meter', meterName(port, direction, measure))
      return [measure === 'bits' ? bitMeter(number, limit, mtu) : packetMeter(number, limit)]
    })
  return { egress: meters('egress'), ingress: meters('ingress'), ...(qos.dscp_mark === undefined ? {} : { dscp: qos.dscp_mark }) }
}

/** What a meter can be told. */
const MOST = 0xffff_ffff
/** Ethernet header and a VLAN tag, in bytes. */
const HEADER = 18

/** A frame larger than the burst would never pass, however long it waits: the burst holds one at least. */
function bitMeter(meter: number, { rate, burst }: RateLimit, mtu: number): MeterConfig {
  const frame = Math.ceil(((mtu + HEADER) * 8) / 1000)
  return {
    meter,
    unit: 'kbps',
    bands: [{ type: 'drop', rate: within(rate / 1000), burst: Math.max(frame, within(burst / 1000)) }],
  }
}

function packetMeter(meter: number, { rate, burst }: RateLimit): MeterConfig {
  return { meter, unit: 'pktps', bands: [{ type: 'drop', rate: within(rate), burst: within(burst) }] }
}

function within(value: number): number {
  return Math.min(MOST, Math.max(1, Math.round(value)))
}

export function meterItems(owner: Key, { egress, ingress }: Limits): readonly Item[] {
  return [...egress, ...ingress].map((meter) => meterItem([owner], meter))
}

type Common = Pick<FlowSpec, 'cookie' | 'owners'>

/** What the port's flow in `classify` does besides: `first` before all else, `next` once the sender is known. */
export function egressActions({ egress: [first, second], dscp }: Limits): {
  readonly first: readonly Action[]
  readonly next: readonly Action[]
} {
  const more = second !== undefined || dscp !== undefined
  return { first: first === undefined ? [] : [against(first)], next: more ? [resubmit('sent')] : [] }
}

/** The second limit of what the port sends, and its mark. */
export function sentItems({ egress: [, second], dscp }: Limits, sender: number, common: Common): readonly Item[] {
  const limit = second === undefined ? [] : [against(second)]
  const flow = (priority: number, match: FlowSpec['match'], actions: readonly Action[]): Item =>
    flowItem({ ...common, table: 'sent', priority, registers: { sender }, match: match ?? {}, actions })
  const marked = dscp === undefined ? [] : [IP, IPV6].map((ip) => flow(50, ip, [...limit, setField('ip_dscp', BigInt(dscp))]))
  return second === undefined ? marked : [...marked, flow(40, {}, limit)]
}

/** Hands frames to the port, held against the limits of what it receives. */
export function handOverItems(
  { ingress: [first, second] }: Limits,
  target: number,
  handOver: readonly Action[],
  common: Common,
  { tables: [here, limit, again], before = [] }: HandOver = ORDINARY,
): readonly Item[] {
  const flow = (table: FlowSpec['table'], actions: readonly Action[]): Item =>
    flowItem({ ...common, table, priority: 50, registers: { target }, actions })
  if (first === undefined) return [flow(here, [...before, ...handOver])]
  const scoped = [flow(here, [...before, ALONE, resubmit(limit)])]
  if (second === undefined) return [...scoped, flow(limit, [against(first), ...handOver])]
  return [...scoped, flow(limit, [against(first), resubmit(again)]), flow(again, [against(second), ...handOver])]
}

/** Where frames are handed over, and held against a first and a second limit. */
interface HandOver {
  readonly tables: readonly [FlowSpec['table'], FlowSpec['table'], FlowSpec['table']]
  /** What is done before any limit. */
  readonly before?: readonly Action[]
}

const ORDINARY: HandOver = { tables: ['output', 'limit', 'limit_again'] }

/**
 * What a meter drops, the datapath drops for all that was still to be done with the frame: copies for other ports too. What comes behind a question about the frame's size is done by
 * itself, whatever the answer.
 */
const ALONE: Action = { kind: 'check_pkt_larger', size: 0xffff, dst: subfieldOf('alone') }

function against({ meter }: MeterConfig): Action {
  return { kind: 'meter', meter }
}
