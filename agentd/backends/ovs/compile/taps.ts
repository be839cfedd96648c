import { parseIp } from '../../../../src/lib/ip.ts'
import type { Intent, MirrorType, TapFlowIntent, TapIntent, TapMirrorIntent } from '../../../../src/model/intent.ts'
import { compareText, type Key } from '../../../../src/model/key.ts'
import type { Facts } from '../../backend.ts'
import type { CarrierType } from './names.ts'
import type { Numbers } from './numbers.ts'
import { target } from './registers.ts'

/** Whose frames are copied here, and for whom. */
export interface TapView {
  /** Services with a flow, of which this host makes or gets copies; sorted by key. */
  readonly taps: readonly Tap[]
  readonly mirrors: readonly Mirror[]
}

/** A tap service as far as this host has to do with it. */
export interface Tap {
  readonly service: TapIntent
  /** Those whose source is here. */
  readonly flows: readonly TapFlowIntent[]
  /** Its port is attached here. */
  readonly here: boolean
  /** Other hosts where its port is: copies that are made here go there. */
  readonly to: readonly string[]
  /** Other hosts that make copies for its port, which is here. */
  readonly from: readonly string[]
  /** Where tunnels of `to` and `from` end, of those that can be reached. */
  readonly ends: ReadonlyMap<string, string>
  /** Of the tunnels by which they go; absent: there is none, or nothing goes. */
  readonly carrier?: CarrierType
}

export interface Mirror {
  readonly intent: TapMirrorIntent
  readonly carrier: CarrierType
  /** False: this host has no address to send from, or not of the collector's IP version, or the switch cannot pack them. */
  readonly reached: boolean
}

/** What taps go by. */
interface Around {
  readonly host: string
  readonly own: string | undefined
  readonly endpoints: ReadonlyMap<string, string>
  readonly facts: Facts
}

const PACKED: Readonly<Record<MirrorType, CarrierType>> = { gre: 'gre', erspanv1: 'erspan' }

export function tapsOf(intents: readonly Intent[], around: Around): TapView {
  const flows = intents.filter((i) => i.type === 'tap_flow').sort((a, b) => compareText(a.flow, b.flow))
  const taps = intents
    .flatMap((i) => (i.type === 'tap' ? tapOf(i, flows, around) : []))
    .sort((a, b) => compareText(a.service.tap, b.service.tap))
  const mirrors = intents.flatMap((i) => (i.type === 'tap_mirror' ? [mirrorOf(i, around)] : []))
  return { taps, mirrors: mirrors.sort((a, b) => compareText(a.intent.mirror, b.intent.mirror)) }
}

function tapOf(service: TapIntent, all: readonly TapFlowIntent[], { host, own, endpoints, facts }: Around): readonly Tap[] {
  const flows = all.filter((f) => f.tap === service.tap)
  if (flows.length === 0) return []
  const here = service.hosts.includes(host)
  const mine = flows.filter((f) => f.hosts.includes(host))
  const others = (hosts: readonly string[]): readonly string[] => [...new Set(hosts)].filter((h) => h !== host).sort(compareText)
  const to = mine.length === 0 ? [] : others(service.hosts)
  const from = here ? others(flows.flatMap((f) => f.hosts)) : []
  const type = service.tunnel?.type
  const can = own !== undefined && type !== undefined && canMake(facts, type)
  const reached = can ? [...to, ...from].flatMap((h): [string, string][] => reach(h, own, endpoints)) : []
  const carrier = can && reached.length > 0 ? { carrier: type } : {}
  return [{ service, flows: mine, here, to, from, ends: new Map(reached), ...carrier }]
}

function reach(host: string, own: string, endpoints: ReadonlyMap<string, string>): [string, string][] {
  const ip = endpoints.get(host)
  return ip !== undefined && sameFamily(own, ip) ? [[host, ip]] : []
}

function mirrorOf(intent: TapMirrorIntent, { own, facts }: Around): Mirror {
  const carrier = PACKED[intent.mirror_type]
  return { intent, carrier, reached: own !== undefined && sameFamily(own, intent.remote_ip) && canMake(facts, carrier) }
}

export function sameFamily(a: string, b: string): boolean {
  return parseIp(a)?.family === parseIp(b)?.family
}

/** Capabilities name the interface types the switch can make (`iface_types`); without any name nothing is ruled out. */
export function canMake(facts: Facts, type: string): boolean {
  return facts.capabilities.length === 0 || facts.capabilities.includes(type)
}

/** Types of the tunnel ports that copies need. */
export function tapCarriers({ taps, mirrors }: TapView): readonly CarrierType[] {
  return [...taps.flatMap((t) => t.carrier ?? []), ...mirrors.flatMap((m) => (m.reached ? [m.carrier] : []))]
}

/** Names of everybody for whom copies are made or taken here, in the pool of numbers: services, and each number of a mirror. */
export function copyNames({ taps, mirrors }: TapView): readonly string[] {
  return [...taps.map((t) => t.service.tap), ...mirrors.flatMap(({ intent }) => mirrorIds(intent).map((id) => mirrorName(intent, id)))]
}

/** Each number once: both directions may have one. */
export function mirrorIds({ in: received, out: sent }: TapMirrorIntent): readonly number[] {
  return [...new Set([received, sent])].filter((id) => id !== undefined)
}

export function mirrorName({ mirror }: TapMirrorIntent, id: number): string {
  return `${mirror} ${id}`
}

/** For whom frames of a port are copied, as targets: what it sends, and what it receives. */
export interface Copies {
  readonly sent: readonly number[]
  readonly received: readonly number[]
}

/** By port; those that nobody listens to are not in it. */
export function copiesByPort({ taps, mirrors }: TapView, numbers: Numbers): ReadonlyMap<Key, Copies> {
  const out = new Map<Key, { sent: number[]; received: number[] }>()
  const add = (port: Key, which: keyof Copies, name: string): void => {
    const copies = out.get(port) ?? { sent: [], received: [] }
    out.set(port, copies)
    copies[which].push(target('copy', numbers.of('copy', name)))
  }
  for (const { service, flows } of taps) {
    for (const { port, direction } of flows) {
      if (direction !== 'IN') add(port, 'sent', service.tap)
      if (direction !== 'OUT') add(port, 'received', service.tap)
    }
  }
  for (const { intent } of mirrors) {
    if (intent.out !== undefined) add(intent.port, 'sent', mirrorName(intent, intent.out))
    if (intent.in !== undefined) add(intent.port, 'received', mirrorName(intent, intent.in))
  }
  return out
}
