import { parseCidr } from '../../../../src/lib/cidr.ts'
import { ipBytes } from '../../../../src/lib/ip.ts'
import { macBytes } from '../../../../src/lib/mac.ts'
import type { Advertised, LegIntent } from '../../../../src/model/intent.ts'
import type { Item } from '../../backend.ts'
import { flowItem, goto } from './build.ts'
import { cookieOfSet } from './cookie.ts'
import type { MeterConfig } from './meters.ts'
import { UNANSWERED } from './stages.ts'
import { tell } from './traps.ts'
import { addressMatch, RS } from './words.ts'

/*
 * Router advertisements. What routers say of themselves on a network stands in one flow, which sends a guest's solicitation to the responder of the host; it says it, and from time to time unasked, to
 * whoever of the network is here.
 */

/** A network with a router that advertises itself, as its ports on this host see it. */
export interface AdvertContext {
  readonly network: number
  readonly mtu: number
  readonly meter: MeterConfig
}

/** `legs`: of routers that are up, on this network, sorted. */
export function advertItems(legs: readonly LegIntent[], { network, mtu, meter }: AdvertContext): readonly Item[] {
  const said = legs.flatMap((leg) => (leg.advertised === undefined ? [] : [{ leg, body: advertBody(leg.mac, leg.advertised, mtu) }]))
  const [first] = said
  if (first === undefined) return []
  const data = Buffer.concat(said.map(({ body }) => Buffer.concat([Buffer.from([body.length >>> 8, body.length & 255]), body])))
  return [
    flowItem({
      table: 'advertise',
      priority: 50,
      cookie: cookieOfSet(`adverts ${first.leg.network}`),
      owners: [...new Set(said.map(({ leg }) => leg.router))],
      registers: { network },
      match: RS,
      actions: [tell('advert', { meter: meter.meter, data }), goto(UNANSWERED)],
    }),
  ]
}

/** In seconds (RFC 4861, 6.2.1): how long the router is one after it was last heard, and its prefixes good. */
export const LIFETIMES = { router: 1800, valid: 86_400, preferred: 14_400 } as const
/** RFC 8200, 5. */
const LEAST_MTU = 1280

/**
 * An advertisement (RFC 4861, 4.2; RFC 8106) with 0 for its checksum. The first option is the router's MAC. Prefixes are on the link; with `autonomous` hosts make addresses of them.
 */
function advertBody(mac: string, { managed, other, prefixes, dns }: Advertised, mtu: number): Buffer {
  const head = Buffer.alloc(16)
  head.writeUInt8(134, 0)
  head.writeUInt8(64, 4)
  head.writeUInt8((managed ? 0x80 : 0) | (other ? 0x40 : 0), 5)
  head.writeUInt16BE(LIFETIMES.router, 6)
  const source = Buffer.concat([Buffer.from([1, 1]), macBytes(mac)])
  const link = Buffer.alloc(8)
  link.writeUInt16BE(0x0501, 0)
  link.writeUInt32BE(mtu, 4)
  return Buffer.concat([head, source, ...(mtu < LEAST_MTU ? [] : [link]), ...prefixes.map(prefixOption), ...resolvers(dns)])
}

function prefixOption({ prefix, autonomous }: Advertised['prefixes'][number]): Buffer {
  const cidr = parseCidr(prefix)?.cidr
  if (cidr === undefined) throw new Error(`an intent holds "${prefix}", which is no prefix`)
  const option = Buffer.alloc(16)
  option.writeUInt16BE(0x0304, 0)
  option.writeUInt8(cidr.prefix, 2)
  option.writeUInt8(autonomous ? 0xc0 : 0x80, 3)
  option.writeUInt32BE(LIFETIMES.valid, 4)
  option.writeUInt32BE(LIFETIMES.preferred, 8)
  return Buffer.concat([option, ipBytes({ family: 6, value: cidr.first })])
}

function resolvers(dns: readonly string[]): Buffer[] {
  if (dns.length === 0) return []
  const option = Buffer.alloc(8)
  option.writeUInt8(25, 0)
  option.writeUInt8(1 + 2 * dns.length, 1)
  option.writeUInt32BE(LIFETIMES.router, 4)
  return [option, ...dns.map((address) => ipBytes({ family: 6, value: addressMatch(address).field.value }))]
}
