import type { RouterDeclared } from '../../../schemas/router.ts'
import { formatCidr, parseCidr } from '../../lib/cidr.ts'
import { canonicalIp, parseIp } from '../../lib/ip.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import type { Normalised, Reference } from '../kind.ts'
import type { RouterRoute } from './spec.ts'

export function routerReferences(spec: JsonObject): readonly Reference[] {
  const { interfaces = [] } = spec as RouterDeclared
  return interfaces.flatMap(({ subnet, port }, i): Reference[] => [
    ...(subnet === undefined ? [] : [{ kind: 'subnet', name: subnet, at: ['interfaces', i, 'subnet'] }]),
    ...(port === undefined ? [] : [{ kind: 'port', name: port, at: ['interfaces', i, 'port'], access: 'own' as const }]),
  ])
}

/** What can be said about the lists alone: each interface is one thing and there once, each route can be read and is the only one to its destination. */
export function normaliseRouter(spec: JsonObject): Normalised {
  const { interfaces = [], routes = [] } = spec as RouterDeclared
  const findings = [...interfaceFindings(interfaces), ...routeFindings(routes)]
  return { spec: { ...spec, ...(routes.length === 0 ? {} : { routes: routes.map(canonicalRoute) }) }, findings }
}

function interfaceFindings(interfaces: NonNullable<RouterDeclared['interfaces']>): Finding[] {
  const findings: Finding[] = []
  const seen = new Map<string, number>()
  interfaces.forEach(({ subnet, port }, i) => {
    const at = ['interfaces', i]
    if ((subnet === undefined) === (port === undefined)) {
      const message = `interface ${i + 1} has ${subnet === undefined ? 'neither a subnet nor a port' : 'a subnet and a port'}`
      findings.push({
        code: 'E0413',
        message,
        at,
        hint: 'write { subnet: NAME } for its gateway_ip, or { port: NAME } for the addresses of a port',
      })
      return
    }
    const id = subnet === undefined ? `port ${port}` : `subnet ${subnet}`
    const first = seen.get(id)
    if (first === undefined) seen.set(id, i)
    else findings.push({ code: 'E0413', message: `${id} is there twice (places ${first + 1} and ${i + 1})`, at, hint: 'remove one' })
  })
  return findings
}

/** Next hops among which the packets to one destination are shared out. */
const MOST_HOPS = 8

function routeFindings(routes: readonly RouterRoute[]): Finding[] {
  const findings: Finding[] = []
  const seen = new Map<string, Map<string, number>>()
  routes.forEach((route, i) => {
    const { destination, nexthop } = canonicalRoute(route)
    const [cidr, hop] = [parseCidr(destination)?.cidr, parseIp(nexthop)]
    const bad = (part: keyof RouterRoute, message: string, hint: string): unknown =>
      findings.push({ code: 'E0416', message, at: ['routes', i, part], hint })
    if (cidr === undefined)
      bad('destination', `destination ${destination} is no prefix`, 'write it like 10.99.0.0/16, or 0.0.0.0/0 for everything')
    else if (hop === undefined) bad('nexthop', `nexthop ${nexthop} is no address`, 'write one address, without a mask')
    else if (cidr.family !== hop.family)
      bad(
        'nexthop',
        `nexthop ${nexthop} is IPv${hop.family}, destination ${destination} IPv${cidr.family}`,
        `write an IPv${cidr.family} address`,
      )
    const ways = seen.get(destination) ?? new Map<string, number>()
    seen.set(destination, ways)
    const first = ways.get(nexthop)
    const again = (message: string): unknown =>
      findings.push({ code: 'E0417', message, at: ['routes', i, 'destination'], hint: 'remove one' })
    if (first !== undefined) again(`the route to ${destination} by ${nexthop} is there twice (places ${first + 1} and ${i + 1})`)
    else if (ways.size === MOST_HOPS) again(`there are more than ${MOST_HOPS} ways to ${destination}`)
    else ways.set(nexthop, i)
  })
  return findings
}

function canonicalRoute({ destination, nexthop }: RouterRoute): RouterRoute {
  const parsed = parseCidr(destination)
  return { destination: parsed === undefined ? destination : formatCidr(parsed.cidr), nexthop: canonicalIp(nexthop) ?? nexthop }
}
