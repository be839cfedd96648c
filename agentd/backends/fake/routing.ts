import { parseCidr, prefixContains } from '../../../src/lib/cidr.ts'
import { formatIp, type Ip, parseIp } from '../../../src/lib/ip.ts'
import type { Body, Frame } from './frame.ts'
import type { Router, RouterLeg } from './tables.ts'

/** What becomes of a frame that a port sends to a router. */
export type Routed =
  | { readonly to: 'sender' }
  | { readonly to: 'nobody' }
  /** `next`: the address that it goes to on the network of the leg. */
  | { readonly to: 'network'; readonly network: string; readonly next: Ip; readonly src: string }

/** Undefined: the frame is for no router. Written from the rules of routing, not from any flow. */
export function routed(routers: readonly Router[], network: string, frame: Frame): Routed | undefined {
  const { body } = frame
  for (const router of routers) {
    const legs = router.legs.filter((leg) => leg.network === network)
    const asked = legs.find((leg) => asksFor(leg, frame))
    if (asked !== undefined && router.up) return answersTo(frame, asked)
    if (!legs.some((leg) => leg.mac === frame.dst)) continue
    return router.up ? forwarded(routers, router, body, { network, first: true, hops: MOST_HOPS }) : { to: 'nobody' }
  }
  return undefined
}

function asksFor(leg: RouterLeg, { body, dst }: Frame): boolean {
  const direct = dst === leg.mac
  if (body.type === 'arp') return body.op === 1 && (direct || dst === 'ff:ff:ff:ff:ff:ff') && owns(leg, body.tpa)
  return (
    body.type === 'icmp6' && body.kind === 135 && body.target !== undefined && owns(leg, body.target) && (direct || dst.startsWith('33:33'))
  )
}

/** A solicitation to all says who asks, or no answer can be made. */
function answersTo({ body, dst }: Frame, leg: RouterLeg): Routed {
  if (body.type !== 'icmp6' || dst === leg.mac) return { to: 'sender' }
  return body.src !== '::' && body.sll !== undefined ? { to: 'sender' } : { to: 'nobody' }
}

function owns(leg: RouterLeg, ip: string): boolean {
  return ip === leg.linkLocal || isOn(leg, ip)
}

function isOn({ addresses }: RouterLeg, ip: string): boolean {
  return addresses.some((a) => a.slice(0, a.indexOf('/')) === ip)
}

const UNROUTED = ['224.0.0.0/3', '169.254.0.0/16', '127.0.0.0/8', '0.0.0.0/8', 'ff00::/8', 'fe80::/10', '::/127']

const ON_LINK_ONLY = [130, 131, 132, 133, 134, 135, 136, 137, 143]

/** Two routers that point at each other keep a packet no longer. */
const MOST_HOPS = 8

/** `network`: where it came to the router. Behind the first one a link-local address is nobody's. */
function forwarded(
  routers: readonly Router[],
  router: Router,
  body: Body,
  at: { readonly network: string; readonly first: boolean; readonly hops: number },
): Routed {
  if (!('dst' in body)) return { to: 'nobody' }
  const isPing = (body.type === 'icmp' && body.kind === 8) || (body.type === 'icmp6' && body.kind === 128)
  if (router.legs.some((leg) => isOn(leg, body.dst) || (at.first && leg.network === at.network && owns(leg, body.dst))))
    return { to: isPing ? 'sender' : 'nobody' }
  const [to, from] = [parseIp(body.dst), parseIp(body.src)]
  if (to === undefined || from === undefined || UNROUTED.some((p) => prefixContains(p, to) || prefixContains(p, from)))
    return { to: 'nobody' }
  const ways = [
    ...router.legs.flatMap((leg) => leg.addresses.map((prefix) => ({ prefix, leg, next: to }))),
    ...router.routes.flatMap(({ destination, via, network }) => {
      const [leg, next] = [router.legs.find((l) => l.network === network), parseIp(via)]
      return leg === undefined || next === undefined ? [] : [{ prefix: destination, leg, next }]
    }),
  ]
  // Words among neighbours go no further, and nothing comes from where no answer would be sent to.
  if (body.type === 'icmp6' && ON_LINK_ONLY.includes(body.kind)) return { to: 'nobody' }
  if (!ways.some(({ prefix, leg }) => leg.network === at.network && prefixContains(prefix, from))) return { to: 'nobody' }
  // Of several hops the first one: which it is in a switch, a hash says.
  const best = ways.filter(({ prefix }) => prefixContains(prefix, to)).sort((a, b) => lengthOf(b.prefix) - lengthOf(a.prefix))[0]
  if (best === undefined || at.hops === 0) return { to: 'nobody' }
  const address = formatIp(best.next.family, best.next.value)
  const other = routers.find((r) => r.up && r.legs.some((l) => l.network === best.leg.network && owns(l, address)))
  return other !== undefined
    ? forwarded(routers, other, body, { network: best.leg.network, first: false, hops: at.hops - 1 })
    : { to: 'network', network: best.leg.network, next: best.next, src: best.leg.mac }
}

function lengthOf(prefix: string): number {
  return parseCidr(prefix)?.cidr.prefix ?? 0
}
