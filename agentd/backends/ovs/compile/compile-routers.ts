import type { LegIntent } from '../../../../src/model/intent.ts'
import { advertItems } from './adverts.ts'
import type { NetworkContext } from './network.ts'
import { severalRouters } from './routers.ts'
import { askedMeter, faultItems, type Hop, hopItems, type LegWay, legItems, legRoutingItems, routeItems, routingItems } from './routing.ts'
import { emit, type Work } from './work.ts'

/** The legs of routers, as ports of the network on this host see them. */
export function compileLegs({ view, numbers, memo, out }: Work, { view: { segment }, number: network, learning }: NetworkContext): void {
  const advertising = view.routers.flatMap(({ up, legs }) =>
    up ? legs.filter((leg) => leg.network === segment.network && leg.advertised !== undefined) : [],
  )
  if (advertising.length > 0)
    emit({ out }, advertItems(advertising, { network, mtu: segment.mtu, meter: askedMeter(segment.network, numbers) }))
  for (const { router, up, legs } of view.routers) {
    for (const leg of legs) {
      if (leg.network !== segment.network) continue
      const context = { joined: numbers.of('network', leg.network), network, router: numbers.of('router', router), up, learning }
      emit(
        { out },
        memo.items(leg, `leg ${network}`, `${context.joined} ${context.router} ${up} ${learning}`, () => legItems(leg, context)),
      )
    }
  }
}

/** What routers do with what they are sent. A leg on a network that is down leads nowhere. */
export function compileRouters({ view, numbers, memo, out, input }: Work): void {
  if (view.routers.length === 0) return
  emit(
    { out },
    memo.items(memo, `routing ${input.host}`, '', () => routingItems(input.host)),
  )
  const down = new Set(view.networks.flatMap(({ segment }) => (segment.admin_state_up ? [] : [segment.network])))
  const mtus = new Map(view.networks.map(({ segment }) => [segment.network, segment.mtu]))
  const crowded = severalRouters(view.routers)
  for (const { router: key, up, legs, routes } of view.routers) {
    if (!up) continue
    const router = numbers.of('router', key)
    const byNetwork = new Map(legs.filter((l) => !down.has(l.network)).map((l) => [l.network, l]))
    const widest = Math.max(...legs.map((l) => mtus.get(l.network) ?? 0))
    const wayOf = (leg: LegIntent): LegWay => {
      const mtu = mtus.get(leg.network)
      return { router, network: numbers.of('network', leg.network), ...(mtu === undefined || mtu === widest ? {} : { mtu }) }
    }
    for (const leg of legs) {
      if (down.has(leg.network)) continue
      const way = wayOf(leg)
      emit(
        { out },
        memo.items(leg, 'routing', JSON.stringify(way), () => legRoutingItems(leg, way)),
      )
      const beside = legs.filter((l) => l.network === leg.network)
      const meter = askedMeter(leg.network, numbers)
      if (beside[0] === leg)
        emit(
          { out },
          memo.items(leg, 'fault', JSON.stringify([way, meter, beside]), () => faultItems(beside, way, meter)),
        )
      if (crowded.has(leg.network))
        emit(
          { out },
          memo.items(leg, 'hop', JSON.stringify(way), () => hopItems(leg, way)),
        )
    }
    for (const route of routes) {
      const hops = route.nexthops.flatMap(({ address, network }): Hop[] => {
        const leg = byNetwork.get(network)
        return leg === undefined ? [] : [{ address, leg, way: wayOf(leg) }]
      })
      const at = hops.map(({ leg, way }) => `${JSON.stringify(way)} ${leg.mac}`).join()
      emit(
        { out },
        memo.items(route, 'route', `${router} ${at}`, () => routeItems(route, router, hops)),
      )
    }
  }
}
