import { hash48 } from '../../../../src/lib/digest.ts'
import { domainOf, type SegmentIntent } from '../../../../src/model/intent.ts'
import { type Key, makeKey } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import { type FieldName, fieldOf } from '../flow/fields.ts'
import { makeMatch } from '../flow/make.ts'
import type { Action, FieldValue, LearnAction, Match, Subfield } from '../flow/types.ts'
import { type FlowSpec, flowItem, goto, output, POP_TAG, pushTag, set, setField } from './build.ts'
import { cookieOf, cookieOfSet } from './cookie.ts'
import { LEARNED } from './pipeline.ts'
import { ANY_ROUTER, ORIGIN, subfieldOf, target } from './registers.ts'
import { AFTER_LEARN } from './stages.ts'
import { INNER_TAGS } from './trunk.ts'
import { addressMatch, tagged, UNTAGGED } from './words.ts'

type Part = Omit<FlowSpec, 'cookie' | 'owners'>

/** Another host of a tunnel network, and the port that leads to it. */
export interface Peer {
  readonly host: string
  readonly type: 'vxlan' | 'geneve' | 'gre'
  readonly key: number
  readonly ip: string
  readonly number: number
  readonly ofport: number
}

/** Frames that come out of a tunnel: the network's key, from a host that has a port of it or routes into it, and no other. */
export function peerItems(segment: SegmentIntent, network: number, peer: Peer): readonly Item[] {
  const sender = target(peer.type, peer.number)
  return [
    item(segment, {
      table: 'classify',
      priority: 90,
      match: { in_port: number(peer.ofport), tun_id: number(peer.key), ...tunnelSource(peer.ip), ...UNTAGGED },
      actions: [set('network', network), set('origin', ORIGIN.tunnel), set('sender', sender), goto('learn')],
    }),
  ]
}

/** The key under which unicast of the network travels. */
export function tunnelKeyItems(segment: SegmentIntent, network: number, key: number): readonly Item[] {
  return [
    item(segment, {
      table: 'tunnel_key',
      priority: 50,
      registers: { network },
      actions: [setField('tun_id', BigInt(key)), goto('tunnel_peer')],
    }),
  ]
}

/** `ofport` is our end of the patch to a provider bridge, `vlan` absent for a flat network. */
export interface ProviderWay {
  readonly ofport: number
  readonly vlan?: number
  readonly host: string
}

/** The way to and from a provider bridge. */
export function providerItems(segment: SegmentIntent, network: number, way: ProviderWay): readonly Item[] {
  const { ofport, vlan } = way
  const self = target('provider', 0)
  const match: Match = vlan === undefined ? UNTAGGED : tagged(vlan)
  const untag = vlan === undefined ? [] : [POP_TAG]
  const tag = vlan === undefined ? [] : pushTag(vlan)
  return [
    ...(vlan === undefined ? [] : insideTags(way)),
    item(segment, {
      table: 'classify',
      priority: 80,
      match: { in_port: number(ofport), ...match },
      actions: [...untag, set('network', network), set('origin', ORIGIN.provider), set('sender', self), goto('learn')],
    }),
    item(segment, {
      table: 'output',
      priority: 50,
      registers: { target: self, network, origin: ORIGIN.local },
      actions: [...tag, output(ofport)],
    }),
  ]
}

/** What comes in under two tags is nobody's here: with the outer one taken off, a guest would read the other as that of a subport. The same for all networks of the bridge. */
function insideTags({ ofport, host }: ProviderWay): Item[] {
  const common = { cookie: cookieOfSet('pipeline'), owners: [makeKey('host', '', host)] }
  return INNER_TAGS.map((eth_type) =>
    flowItem({
      table: 'classify',
      priority: 85,
      ...common,
      match: makeMatch({ in_port: ofport, vlan_tci: '0x1000/0x1000', eth_type }),
      actions: [],
    }),
  )
}

/**
 * What this host has routed leaves under a MAC of the host: the router's is the same on every host, and a physical switch that heard it from two places would send
 * frames of one to the other (Neutron's `dvr_base_mac`). Nobody ever answers to it.
 */
export function routedOutItems(segment: SegmentIntent, network: number, by: ProviderWay): readonly Item[] {
  const tag = by.vlan === undefined ? [] : pushTag(by.vlan)
  return [
    item(segment, {
      table: 'output',
      priority: 55,
      registers: { target: target('provider', 0), network, origin: ORIGIN.local, sender: ANY_ROUTER },
      actions: [setField('eth_src', hostMac(by.host)), ...tag, output(by.ofport)],
    }),
  ]
}

const HOST_MACS = 0xfa16_3f00_0000n

function hostMac(host: string): bigint {
  return HOST_MACS | (BigInt(hash48(host)) & 0xff_ffffn)
}

/** Notes who sent a frame from an address that nobody declared, for as long as it keeps sending. */
export function learnItems(segment: SegmentIntent, network: number): readonly Item[] {
  const { local } = ORIGIN
  return [
    item(segment, {
      table: 'learn',
      priority: 20,
      registers: { network, origin: local },
      actions: [learnSender(segment, 'learned-here'), goto(AFTER_LEARN)],
    }),
    item(segment, {
      table: 'learn',
      priority: 10,
      registers: { network },
      actions: [learnSender(segment, 'learned'), goto(AFTER_LEARN)],
    }),
  ]
}

/** Seconds since its last frame after which a learned address is forgotten: as long as Open vSwitch and Neutron keep one. */
const LEARNED_SECONDS = 300
/** Learned addresses of one network, so that one guest that makes up addresses cannot fill the switch; of local ports and of others each, so that it does not keep those from being learned whom others speak to. */
const LEARNED_LIMIT = 1024

function learnSender(segment: SegmentIntent, where: 'learned-here' | 'learned'): LearnAction {
  const network = subfieldOf('network')
  return {
    kind: 'learn',
    table: LEARNED,
    hard_timeout: LEARNED_SECONDS,
    priority: 50,
    delete_learned: true,
    cookie: cookieOfSet(`${where} ${domainOf(segment)}`),
    limit: LEARNED_LIMIT,
    specs: [
      { kind: 'match', dst: network, src: network },
      { kind: 'match', dst: whole('eth_dst'), src: whole('eth_src') },
      { kind: 'load', dst: subfieldOf('target'), src: subfieldOf('sender') },
    ],
  }
}

function whole(field: FieldName): Subfield {
  return { field, start: 0, bits: fieldOf(field).bits }
}

function item(segment: SegmentIntent, part: Part): Item {
  return flowItem({ ...part, cookie: cookieOf(segment.network), owners: [segment.network] })
}

function number(value: number): FieldValue {
  return { value: BigInt(value) }
}

/** Which field of the outer header holds the peer's address. */
function tunnelSource(ip: string): Match {
  const { family, field } = addressMatch(ip)
  return family === 6 ? { tun_ipv6_src: field } : { tun_src: field }
}

/** Unicast to a host, whatever the network: kept for the host, not for any network. */
export function toPeerItems(host: Key, peer: Peer): readonly Item[] {
  return [
    flowItem({
      table: 'tunnel_peer',
      priority: 50,
      cookie: cookieOf(host),
      owners: [host],
      registers: { target: target(peer.type, peer.number) },
      actions: [toPeer(peer.ip), output(peer.ofport)],
    }),
  ]
}

/** Sends the frame towards a peer from here on. */
export function toPeer(ip: string): Action {
  const { family, field } = addressMatch(ip)
  return setField(family === 6 ? 'tun_ipv6_dst' : 'tun_dst', field.value)
}
