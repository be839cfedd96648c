import type { TapFlowDeclared } from '../../../schemas/tap_flow.ts'
import type { TapServiceDeclared } from '../../../schemas/tap_service.ts'
import type { JsonObject } from '../../model/brand.ts'
import { hostsOf, type TapDirection } from '../../model/intent.ts'
import type { Finding } from '../../model/issue.ts'
import { compareText, displayKey, type Key, namedKey } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import type { HostSpec } from '../host/spec.ts'
import type { Reference, View } from '../kind.ts'
import type { NetworkSpec } from '../network/spec.ts'
import type { TypeDrivers } from '../network/type-driver.ts'
import type { PortSpec } from '../port/spec.ts'
import type { TapServiceSpec } from '../tap_service/spec.ts'

/** Neutron asks that service and port are the project's own. */
export function tapFlowReferences(spec: JsonObject): readonly Reference[] {
  const { tap_service, source_port } = spec as TapFlowDeclared
  return [
    { kind: 'tap_service', name: tap_service, at: ['tap_service'], access: 'own' },
    { kind: 'port', name: source_port, at: ['source_port'], access: 'own' },
  ]
}

/** A flow with what it joins. */
interface Joined {
  readonly flow: Declared
  readonly service: Resource<TapServiceSpec>
  readonly source: Resource<PortSpec>
  readonly receiver: Resource<PortSpec>
}

export function checkTapFlow(flow: Declared, view: View, types: TypeDrivers): readonly Finding[] {
  const { tap_service, source_port } = flow.spec as TapFlowDeclared
  const service = view.need<TapServiceSpec>(view.ref('tap_service', tap_service))
  const source = view.need<PortSpec>(view.ref('port', source_port))
  const receiver = view.need<PortSpec>(view.ref('port', service.spec.port))
  const joined = { flow, service, source, receiver }
  if (source.key === receiver.key) return [itself(joined)]
  const way = apart(joined, view)
  return [...twice(joined, view), ...loop(joined, view), ...unbound(joined), ...(way.length > 0 ? way : tooLarge(joined, view, types))]
}

function itself({ service, source }: Joined): Finding {
  return {
    code: 'E1102',
    message: `port ${source.name} is the port of tap_service ${service.name}, and would get copies of the copies that it gets`,
    at: ['source_port'],
    related: [{ message: `tap_service ${service.name} is port ${source.name}`, key: service.key, at: ['port'] }],
    hint: 'name another source_port',
  }
}

/** Of two flows that copy the same, the one whose identity sorts later is told. */
function twice({ flow, service, source }: Joined, view: View): Finding[] {
  const { direction } = flow.spec as TapFlowDeclared
  const first = view.users(service.key, 'tap_flow').find((key) => {
    const other = key < flow.key ? view.declared(key) : undefined
    if (other === undefined) return false
    const spec = other.spec as TapFlowDeclared
    return namedKey('port', other.project, spec.source_port) === source.key && overlap(spec.direction, direction)
  })
  if (first === undefined) return []
  const message = `${displayKey(first)} copies frames of port ${source.name} to tap_service ${service.name} already, which would get some twice`
  const related = [{ message: `${displayKey(first)} is written here`, key: first, at: ['direction'] }]
  return [{ code: 'E1103', message, at: ['direction'], related, hint: 'remove one of the two, or write direction: BOTH at one' }]
}

function overlap(a: TapDirection, b: TapDirection): boolean {
  return a === 'BOTH' || b === 'BOTH' || a === b
}

/** Copies are never copied, so none would go round; but who listens to whom would be a riddle. The flow of the loop that sorts last is told. */
function loop({ flow, source, receiver }: Joined, view: View): Finding[] {
  const way = wayBack(receiver.key, source.key, view, new Set())
  if (way === undefined || way.some((key) => key > flow.key)) return []
  const others = way.map(displayKey)
  const message = `a loop of taps: port ${source.name} is heard by port ${receiver.name}, which is heard by port ${source.name} (by ${others.join(', ')})`
  const related = way.map((key) => ({ message: displayKey(key), key, at: ['source_port'] }))
  return [{ code: 'E1104', message, at: ['source_port'], related, hint: 'remove one of these flows' }]
}

/** The flows by which what a port sends reaches another. */
function wayBack(from: Key, to: Key, view: View, seen: Set<Key>): readonly Key[] | undefined {
  if (seen.has(from)) return undefined
  seen.add(from)
  for (const key of view.users(from, 'tap_flow')) {
    const next = heardBy(key, view)
    if (next === undefined || next === from) continue
    if (next === to) return [key]
    const rest = wayBack(next, to, view, seen)
    if (rest !== undefined) return [key, ...rest]
  }
  return undefined
}

function heardBy(flow: Key, view: View): Key | undefined {
  const declared = view.declared(flow)
  if (declared === undefined) return undefined
  const service = view.declared(namedKey('tap_service', declared.project, (declared.spec as TapFlowDeclared).tap_service))
  return service === undefined ? undefined : namedKey('port', service.project, (service.spec as TapServiceDeclared).port)
}

function unbound({ flow, source }: Joined): Finding[] {
  if (source.spec.host !== undefined) return []
  const message = `port ${source.name} is on no host: tap_flow ${flow.name} copies nothing`
  const related = [{ message: `port ${source.name}`, key: source.key }]
  return [{ code: 'W1105', severity: 'warning', message, at: ['source_port'], related, hint: `write host: … at port ${source.name}` }]
}

/** Pairs of hosts between which copies travel. */
function pairs({ source, receiver }: Joined): readonly (readonly [string, string])[] {
  return hostsOf(source.spec).flatMap((a) => hostsOf(receiver.spec).flatMap((b) => (a === b ? [] : [[a, b] as const])))
}

/** Between hosts copies travel in tunnels. */
function apart(joined: Joined, view: View): Finding[] {
  const { service, source, receiver } = joined
  const [first] = pairs(joined)
  if (first === undefined) return []
  const between = `copies of port ${source.name} (host ${first[0]}) for port ${receiver.name} (host ${first[1]}) travel in tunnels`
  const fault = (message: string, related: Finding['related'], hint: string): Finding[] => [
    { code: 'E1106', message: `${between}, and ${message}`, at: ['source_port'], ...(related === undefined ? {} : { related }), hint },
  ]
  if (service.spec.network_type === undefined)
    return fault('the site has no tunnels', undefined, 'write vxlan and vni_ranges into netloom.yaml, or put both ports on one host')
  const hosts = [...new Set(pairs(joined).flat())].sort(compareText).map((name) => view.need<HostSpec>(view.ref('host', name)))
  const without = hosts.find((h) => h.spec.tunnel_ip === undefined)
  if (without === undefined) return []
  const related = [{ message: `host ${without.name}`, key: without.key }]
  return fault(`host ${without.name} has no tunnel_ip`, related, `write tunnel_ip: … at host ${without.name}`)
}

/** Frames that are too large for the way to the service are lost on it. */
function tooLarge(joined: Joined, view: View, types: TypeDrivers): Finding[] {
  const { flow, service, source, receiver } = joined
  const network = networkOf(source, view)
  const { mtu } = network.spec
  const driver = pairs(joined).length === 0 ? undefined : types.get(service.spec.network_type ?? '')
  const tunnel = driver?.maximumMtu(view.site(), undefined)
  const there = networkOf(receiver, view)
  const least = Math.min(tunnel?.mtu ?? Number.POSITIVE_INFINITY, there.spec.mtu)
  if (mtu <= least) return []
  const why =
    least === there.spec.mtu ? `network ${there.name} of port ${receiver.name} has MTU ${least}` : `tunnels carry ${tunnel?.arithmetic}`
  const message = `tap_flow ${flow.name} loses copies of packets above ${least} bytes: network ${network.name} of port ${source.name} has MTU ${mtu}, and ${why}`
  const related = [{ message: `network ${network.name}`, key: network.key }]
  return [
    {
      code: 'W1106',
      severity: 'warning',
      message,
      at: ['source_port'],
      related,
      hint: `write mtu: ${least} at network ${network.name}, or live with it`,
    },
  ]
}

function networkOf(port: Resource<PortSpec>, view: View): Resource<NetworkSpec> {
  return view.need<NetworkSpec>(view.ref('network', port.spec.network))
}
