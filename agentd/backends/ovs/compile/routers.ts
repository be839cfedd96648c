import type { Intent, LegIntent, RouteIntent } from '../../../../src/model/intent.ts'
import { compareText, type Key } from '../../../../src/model/key.ts'

/** A router that a port of this host can reach. */
export interface RouterView {
  readonly router: Key
  readonly up: boolean
  readonly legs: readonly LegIntent[]
  readonly routes: readonly RouteIntent[]
}

/** Sorted by key. */
export function routersOf(intents: readonly Intent[]): readonly RouterView[] {
  const out = new Map<Key, { router: Key; up: boolean; legs: LegIntent[]; routes: RouteIntent[] }>()
  const of = (router: Key): { up: boolean; legs: LegIntent[]; routes: RouteIntent[] } => {
    const known = out.get(router) ?? { router, up: false, legs: [], routes: [] }
    out.set(router, known)
    return known
  }
  for (const intent of intents) {
    if (intent.type === 'router') of(intent.router).up = intent.admin_state_up
    else if (intent.type === 'leg') of(intent.router).legs.push(intent)
    else if (intent.type === 'route') of(intent.router).routes.push(intent)
  }
  return [...out.values()].sort((a, b) => compareText(a.router, b.router))
}

/** Networks on which routers are, sorted. */
export function joinedNetworks(routers: readonly RouterView[]): readonly Key[] {
  return [...new Set(routers.flatMap((r) => r.legs.map((l) => l.network)))].sort(compareText)
}

/** Of each network on which a router is: the networks from which packets come into it, through however many routers; itself among them. */
export function joinedWith(routers: readonly RouterView[]): ReadonlyMap<Key, ReadonlySet<Key>> {
  const out = new Map<Key, Set<Key>>()
  for (const { legs } of routers.filter((r) => r.up)) {
    const joined = new Set<Key>()
    for (const { network } of legs) for (const other of out.get(network) ?? [network]) joined.add(other)
    for (const network of joined) out.set(network, joined)
  }
  return out
}

/** Networks on which more than one router is. */
export function severalRouters(routers: readonly RouterView[]): ReadonlySet<Key> {
  const seen = new Set<Key>()
  const several = new Set<Key>()
  for (const { legs } of routers) {
    for (const network of new Set(legs.map((l) => l.network))) {
      if (seen.has(network)) several.add(network)
      seen.add(network)
    }
  }
  return several
}
