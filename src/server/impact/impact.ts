import type { Compiled, IntentSet } from '../../../agentd/backends/compilers.ts'
import { keyedDiff } from '../../lib/keyed-diff.ts'
import type { JsonObject } from '../../model/brand.ts'
import { compareText, type Key } from '../../model/key.ts'
import type { World } from '../engine/types.ts'
import { type Known, offerOf, predictedFor, reportedOf } from './known.ts'
import { type Wait, waitingFor } from './waits.ts'

/** One row, link or flow that a plan adds, alters or removes on a host; its text as the backend writes it. */
export interface ItemChange {
  readonly action: 'create' | 'update' | 'delete'
  /** `row Port nl-web`, `flow br-int classify 100 in_port=3`. */
  readonly item: string
  /** Resources it exists for; of a deletion, those it existed for. */
  readonly owners: readonly Key[]
  readonly before?: string
  readonly after?: string
}

/** What the plan does to one host's switch. */
export interface HostImpact {
  readonly host: string
  /** `reported`: with the numbers and the switch that the host's agent told of. `predicted`: no agent did; numbers may come out differently. */
  readonly basis: 'reported' | 'predicted'
  /** When the agent last spoke, ISO 8601, and where it was then. */
  readonly seen?: string
  readonly revision?: number
  readonly items: readonly ItemChange[]
  readonly waits: readonly Wait[]
  /** What the compiler says of resources after the plan and did not say before: ports that will not work, and why. */
  readonly verdicts: readonly { readonly key: Key; readonly state: string; readonly cause: string }[]
}

/** What the server knows of a host's agent. */
export interface AgentKnown {
  readonly facts: JsonObject
  readonly allocations: JsonObject
  readonly lastSeen: string
  readonly revision: number
}

export interface ImpactInput {
  readonly host: string
  readonly before: Pick<World, 'scopes' | 'needs'>
  readonly after: Pick<World, 'scopes' | 'needs'>
  /** Absent: no agent ever spoke for the host. */
  readonly agent?: AgentKnown | undefined
}

/** Compiles what the host is to hold before and after, as its agent will, and says the difference. Pure. Drift is no part of it: the switch is taken to hold what it should. */
export function hostImpact({ host, before, after, agent }: ImpactInput): HostImpact {
  const [from, to] = [intentsFor(before, host), intentsFor(after, host)]
  const offer = offerOf(host, to) ?? offerOf(host, from)
  const reported = agent === undefined ? undefined : reportedOf(agent.facts, agent.allocations)
  const known: Known = reported ?? predictedFor(offer)
  const installation = offer?.installation ?? ''
  // A host that was never told anything holds nothing of ours; one that leaves is told so.
  const held = from.size === 0 ? undefined : waitingFor({ host, installation, intents: from, known })
  const next = waitingFor({
    host,
    installation,
    intents: to,
    known: held === undefined ? known : { ...known, allocations: held.allocations },
  })
  return {
    host,
    basis: reported === undefined ? 'predicted' : 'reported',
    ...(agent === undefined || reported === undefined ? {} : { seen: agent.lastSeen, revision: agent.revision }),
    items: itemChanges(held?.compiled.items ?? new Map(), next.compiled.items),
    waits: newWaits(held?.waits ?? new Map(), next.waits),
    verdicts: newVerdicts(held?.compiled.verdicts ?? new Map(), next.compiled.verdicts),
  }
}

/** The scopes that the host needs, each with its intents: what its agent compiles. */
function intentsFor(world: Pick<World, 'scopes' | 'needs'>, host: string): IntentSet {
  const scopes = [...(world.needs.get(host)?.keys() ?? [])]
  return new Map(scopes.map((scope) => [scope, new Map(world.scopes.get(scope)?.intents ?? [])]))
}

type Items = Compiled['items']

function itemChanges(before: Items, after: Items): readonly ItemChange[] {
  const diff = keyedDiff(before, after, (a, b) => a.text === b.text)
  const changes: ItemChange[] = [
    ...diff.added.map((d): ItemChange => ({ action: 'create', item: d.key, owners: d.after.owners, after: d.after.text })),
    ...diff.changed.map(
      (d): ItemChange => ({ action: 'update', item: d.key, owners: d.after.owners, before: d.before.text, after: d.after.text }),
    ),
    ...diff.removed.map((d): ItemChange => ({ action: 'delete', item: d.key, owners: d.before.owners, before: d.before.text })),
  ]
  return changes.sort((a, b) => compareItems(a.item, b.item))
}

/** Rows and links before flows, as they are written. */
function compareItems(a: string, b: string): number {
  return Number(a.startsWith('flow ')) - Number(b.startsWith('flow ')) || compareText(a, b)
}

/** A port that waits as it waited before is no matter of this plan. */
function newWaits(before: ReadonlyMap<Key, Wait>, after: ReadonlyMap<Key, Wait>): readonly Wait[] {
  const same = (a: Wait, b: Wait): boolean =>
    a.items.length === b.items.length && a.items.every((item, i) => item.text === b.items[i]?.text)
  const { added, changed } = keyedDiff(before, after, same)
  return [...added, ...changed].map((d) => d.after).sort((a, b) => compareText(a.port, b.port))
}

function newVerdicts(before: Compiled['verdicts'], after: Compiled['verdicts']): HostImpact['verdicts'] {
  const { added, changed } = keyedDiff(before, after, (a, b) => a.state === b.state && a.cause === b.cause)
  return [...added, ...changed]
    .map(({ key, after: v }) => ({ key, state: v.state, cause: v.cause }))
    .sort((a, b) => compareText(a.key, b.key))
}
