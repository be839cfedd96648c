import { holdsOf } from '../../../agentd/northbound/holds.ts'
import { DEFAULT_SITE } from '../../../src/kinds/site/spec.ts'
import type { Intent } from '../../../src/model/intent.ts'
import { EMPTY_VERSION, type IntentKey } from '../../../src/model/scope.ts'
import type { DeclaredOps, World } from '../../../src/server/engine/types.ts'
import { computePlan } from '../../../src/server/plan/plan.ts'
import type { Plan } from '../../../src/server/plan/types.ts'
import { stepFrom } from '../../../src/server/proposal.ts'
import type { TakenOver } from '../../../src/server/takeover/take.ts'
import type { Holds } from '../../../src/wire/messages.ts'
import { kinds } from '../../support/kinds.ts'
import { engine, write } from '../../support/world.ts'

/** Two hosts and a subnet; then a network and two ports, first written, then left for Netloom to choose. */
export const REST: string = `
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/24 }
hosts:
  h1: { tunnel_ip: 192.0.2.1 }
  h2: { tunnel_ip: 192.0.2.2 }
`
export const WRITTEN: string = `
networks: { blue: { network_type: vxlan, segmentation_id: 4242 } }
ports:
  a: { network: blue, host: h1, mac_address: 'fa:16:3e:aa:bb:01', fixed_ips: [{ ip_address: 10.10.0.201 }] }
  b: { network: blue, host: h2, mac_address: 'fa:16:3e:aa:bb:02', fixed_ips: [{ ip_address: 10.10.0.202 }] }
${REST}`
export const CHOSEN: string = `
networks: { blue: { network_type: vxlan } }
ports:
  a: { network: blue, host: h1 }
  b: { network: blue, host: h2 }
${REST}`

/** What the agent of a host that is at this world says when it says hello. */
export function told(world: World, host: string, revision = 1): Holds {
  const scopes = [...(world.needs.get(host)?.keys() ?? [])].map((scope) => {
    const state = world.scopes.get(scope)
    return [scope, { version: state?.version ?? EMPTY_VERSION, intents: new Map<IntentKey, Intent>(state?.intents ?? []) }] as const
  })
  return holdsOf(host, { revision, digest: EMPTY_VERSION, scopes: new Map(scopes) })
}

/** One revision after another, as operators wrote them. */
export function history(...yaml: readonly string[]): World {
  return yaml.reduce((world, text) => engine.step(world, opsFrom(world, text), { now: 0 }).world, engine.empty())
}

export function opsFrom(world: World, yaml: string): DeclaredOps {
  const { declared } = write(yaml)
  const keys = new Set(declared.map((d) => d.key))
  return { set: declared, del: [...world.declared.keys()].filter((key) => !keys.has(key)) }
}

/** The first plan of a server that remembers nothing. */
export function firstPlan(yaml: string, taken: TakenOver | undefined): { readonly plan: Plan; readonly world: World } {
  const ops = opsFrom(engine.empty(), yaml)
  const base = { revision: 0, world: engine.empty() }
  const step = stepFrom(engine, base, ops, { taken, now: 0 })
  const plan = computePlan({
    base: base.world,
    baseRevision: 0,
    registry: 'ml2 (test)',
    ops,
    step,
    footprint: engine.footprint,
    kinds,
    places: () => undefined,
    guards: DEFAULT_SITE.guards,
    ...(taken === undefined ? {} : { reported: taken.reported }),
  })
  return { plan, world: step.world }
}
