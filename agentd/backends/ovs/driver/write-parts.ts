import type { DriverOptions, Item, Outcome } from '../../backend.ts'
import { BRIDGE } from '../compile/names.ts'
import type { SettingValue } from '../compile/values.ts'
import type { Operation, OvsdbClient } from '../ovsdb/client.ts'
import type { Around } from './around.ts'
import { pickDatapath } from './datapath.ts'
import type { FlowChannel } from './flow-channel.ts'
import type { LinkKeeper } from './link-keeper.ts'
import type { Inventory } from './observe.ts'
import { type Parts, pairsLeft } from './parts.ts'
import { type FlowChanges, inTwo } from './retire.ts'
import { removeRows, writeRows } from './rows.ts'
import { notShut, type ShutFirst, shutFirst } from './shut.ts'
import { datapathFollows } from './stale-datapath.ts'

/** Milliseconds a turn may spend on taking ports off before it lets newer work in. */
const REMOVE_BUDGET_MS = 400

/** What writes, and what it goes by. */
export interface Hands {
  readonly options: DriverOptions
  readonly ovsdb: OvsdbClient
  readonly flows: FlowChannel
  readonly links: LinkKeeper
  readonly around: Around
  readonly inventory: () => Inventory
}

/** An outcome before anything was read back. Grows as the stages go on. */
export interface Written extends Omit<Outcome, 'verified'> {
  readonly failed: Map<string, string>
  readonly deferred: Set<string>
  readonly timings: Record<string, number>
}

/**
 * Pairs and rows first (those of the bridge before those of its ports), then meters, one bundle of flows and the meters that no flow names any more, then what guests see of their devices, then paced removals. `replug`: ports of
 * others that go into a bridge which is made anew.
 */
export async function writeParts(hands: Hands, parts: Parts, replug: readonly Operation[]): Promise<Written> {
  const written: Written = { failed: new Map(), deferred: new Set(), timings: {} }
  const { failed } = written
  const { links, flows } = hands
  if (parts.links.length > 0) await timed(written, 'links', () => links.make(parts.links, failed))
  const first = shutFirst(parts, hands.inventory())
  const rows = await shut(hands, first, written)
  if (rows.length > 0 || replug.length > 0) await timed(written, 'rows', () => insertRows(hands, rows, replug, failed))
  if (parts.meters.length > 0) await timed(written, 'meters', () => flows.writeMeters(parts.meters, [], written))
  if (first.flows.length + parts.gone.length > 0) await writeFlows(hands, { changes: first.flows, gone: parts.gone }, written)
  if (parts.goneMeters.length > 0) await timed(written, 'gone meters', () => flows.writeMeters([], parts.goneMeters, written))
  if (parts.settings.length > 0) await timed(written, 'settings', () => setRight(hands, parts.settings, failed))
  if (parts.links.length > 0) await timed(written, 'settle', () => links.settle(parts.links, failed))
  await takeOff(hands, parts, written)
  return written
}

/** Milliseconds, to two places. */
async function timed({ timings }: Written, stage: string, work: () => Promise<void>): Promise<void> {
  const began = performance.now()
  await work()
  timings[stage] = Math.round((performance.now() - began) * 100) / 100
}

async function insertRows(
  { ovsdb, inventory, options }: Hands,
  rows: readonly Item[],
  replug: readonly Operation[],
  failed: Map<string, string>,
): Promise<void> {
  await writeRows(ovsdb, inventory, rows, replug, failed, options.log)
}

/** One bundle; where a set of rules is left by its ports, one more once the datapath has followed. */
async function writeFlows({ options, flows, inventory }: Hands, all: FlowChanges, written: Written): Promise<void> {
  const { failed, deferred } = written
  const { first, later } = inTwo(all, () => flows.own().values())
  await timed(written, 'flows', () => flows.write(first.changes, first.gone, failed, deferred))
  if (later === undefined) return
  const keys = [...later.gone.map((i) => i.key), ...later.changes.map((c) => c.after.key)]
  if ([...first.gone, ...first.changes.map((c) => c.after)].some((i) => deferred.has(i.key))) {
    for (const key of keys) deferred.add(key)
    return
  }
  await timed(written, 'datapath', () => datapathFollows(options.rundir, pickDatapath(inventory())))
  const changes = later.changes.filter((c) => !failed.has(c.after.key))
  const gone = later.gone.filter((i) => !failed.has(i.key))
  await timed(written, 'left rules', () => flows.write(changes, gone, failed, deferred))
}

/** Makes the bridge drop before it gets ports; returns the rows that may follow. */
async function shut(hands: Hands, first: ShutFirst, written: Written): Promise<readonly Item[]> {
  const { bridge, drop, ports, rows } = first
  const { failed, deferred } = written
  if (ports.length === 0) return rows
  const before = hands.inventory()
  if (bridge.length > 0) await timed(written, 'bridge', () => insertRows(hands, bridge, [], failed))
  if (drop.length > 0) await timed(written, 'shut', () => hands.flows.write(drop, [], failed, deferred))
  const open = notShut(first, before, failed, deferred)
  if (open === undefined) return rows
  for (const { key } of ports) {
    if (open === 'later') deferred.add(key)
    else failed.set(key, open.cause)
  }
  return rows.filter((item) => !ports.includes(item))
}

async function setRight({ flows, around }: Hands, settings: readonly Item[], failed: Map<string, string>): Promise<void> {
  const here = settings.filter((i) => (i.value as SettingValue).bridge === BRIDGE)
  if (here.length > 0) await flows.setRight(here, failed)
  await around.setRight(settings, failed)
}

/** Flows that are on no port any more go before their port. */
async function takeOff({ ovsdb, inventory, links }: Hands, parts: Parts, written: Written): Promise<void> {
  const { failed, deferred } = written
  if (parts.gone.some((i) => deferred.has(i.key))) for (const item of parts.removed) deferred.add(item.key)
  else if (parts.removed.length > 0)
    await timed(written, 'removals', () => removeRows(ovsdb, inventory, parts.removed, REMOVE_BUDGET_MS, failed, deferred))
  const gone = [...parts.goneLinks, ...pairsLeft(parts.removed)]
  await links.remove(
    gone.filter((i) => !deferred.has(i.key)),
    failed,
  )
}
