import { mapBounded } from '../lib/bounded.ts'
import { keyedDiff } from '../lib/keyed-diff.ts'
import type { Key } from '../model/key.ts'
import { findDead } from './dead.ts'
import { LabError } from './errors.ts'
import { makeGuests, removeGuests } from './guest-links.ts'
import { makeHost, nameNetns } from './host.ts'
import { assertTag, guestNetns, hostDir, hostNetns, labDir, wireNetns } from './names.ts'
import { assertCanRun } from './preconditions.ts'
import { type LabRecord, readRecord, withLock, writeRecord } from './record.ts'
import { run, runScript, tryRun } from './run.ts'
import { type LabGuest, type LabHost, type LabSpec, UNDERLAY_BRIDGE } from './spec.ts'
import { describeRemains, findRemains, isClean, type Remains, sweep } from './sweep.ts'
import { addSegments, cablesOf, makeWire, pullCable, segmentsOf, type WireKind } from './wire.ts'

/** A lab that is up: enough to find everything in it. */
export interface Lab {
  readonly tag: string
  /** Folder with one subfolder per host (database, sockets, logs). */
  readonly dir: string
  readonly spec: LabSpec
  readonly wire: WireKind
}

/** One thing that `labUp` did, as it happens. */
export interface LabStep {
  readonly what: 'wire' | 'host' | 'guests' | 'removed host' | 'removed dead host' | 'removed guests' | 'removed leftovers'
  readonly name: string
  readonly ms: number
}

/** Hosts and guests are made this many at a time: more only wait for each other on a small machine. */
const PARALLEL = 4

/**
 * Brings a lab to exactly what the spec says: makes what is missing, removes what is too much, leaves the rest running. A second run does
 * nothing. A lab that was killed half-way, or of which nothing runs any more, is removed and made anew; so is a single host that is dead.
 * @throws LabError `cannot_run_here`, `busy`, `command_failed`.
 */
export async function labUp(tag: string, spec: LabSpec, onStep: (step: LabStep) => void = () => {}): Promise<Lab> {
  await assertCanRun()
  checkSpec(spec)
  return await withLock(tag, async () => {
    const record = await readRecord(tag)
    const before = record?.phase === 'up' ? await withoutDead(record, spec, onStep) : await startAnew(tag, spec, onStep)
    await writeRecord({ ...before, phase: 'making' })
    await converge(before, spec, onStep)
    const after: LabRecord = { ...before, phase: 'up', spec }
    await writeRecord(after)
    return asLab(after)
  })
}

/** The lab with this tag, if it is up. */
export async function labOpen(tag: string): Promise<Lab | undefined> {
  const record = await readRecord(tag)
  return record?.phase === 'up' ? asLab(record) : undefined
}

/**
 * Removes a lab and everything in it, in whatever state it is. Says what was found.
 * @throws LabError `busy`, `left_behind`.
 */
export async function labDown(tag: string): Promise<Remains> {
  return await withLock(tag, async () => await sweep(tag))
}

function asLab(record: LabRecord): Lab {
  return { tag: record.tag, dir: labDir(record.tag), spec: record.spec, wire: record.wire }
}

/** Removes what a killed run left, and makes the wire. */
async function startAnew(tag: string, spec: LabSpec, onStep: (step: LabStep) => void): Promise<LabRecord> {
  const swept = await timed(async () => await sweep(tag))
  // A folder alone is what a caller made for the lab.
  if (!isClean({ ...swept.result, folder: false })) onStep({ what: 'removed leftovers', name: describeRemains(swept.result), ms: swept.ms })
  const nothing: LabSpec = { ...spec, hosts: [], guests: [] }
  const since = new Date().toISOString()
  await writeRecord({ format: 1, tag, phase: 'making', spec: nothing, wire: 'bridge', since })
  const wire = spec.wire === 'ovs' || spec.wire === 'bridge' ? spec.wire : await bestWire(tag)
  const made = await timed(async () => await runScript(tag, makeWire(tag, wire, labDir(tag))))
  onStep({ what: 'wire', name: wire, ms: made.ms })
  return { format: 1, tag, phase: 'making', spec: nothing, wire, since }
}

/** Takes out what is dead, to be made again: single hosts, or, with the wire or the last host, everything. */
async function withoutDead(record: LabRecord, spec: LabSpec, onStep: (step: LabStep) => void): Promise<LabRecord> {
  const dead = await findDead(record)
  if (dead.wire !== undefined || (dead.hosts.size > 0 && dead.hosts.size === record.spec.hosts.length))
    return await startAnew(record.tag, spec, onStep)
  if (dead.hosts.size === 0) return record
  await writeRecord({ ...record, phase: 'making' })
  for (const host of record.spec.hosts) {
    const why = dead.hosts.get(host.name)
    if (why === undefined) continue
    const { ms } = await timed(async () => await removeHost(record, host, 'dead'))
    onStep({ what: 'removed dead host', name: `${host.name}: ${why}`, ms })
  }
  const alive = <T>(list: readonly T[], hostOf: (item: T) => string): T[] => list.filter((item) => !dead.hosts.has(hostOf(item)))
  const left = { ...record.spec, hosts: alive(record.spec.hosts, (h) => h.name), guests: alive(record.spec.guests, (g) => g.host) }
  return { ...record, spec: left }
}

/** Whether this kernel has bridges is known by trying, in a namespace that goes at once. */
async function bestWire(tag: string): Promise<WireKind> {
  const netns = wireNetns(tag)
  await run(['ip', 'netns', 'add', netns])
  const tried = await tryRun(['ip', '-n', netns, 'link', 'add', 'try0', 'type', 'bridge'])
  await run(['ip', 'netns', 'del', netns])
  return tried.code === 0 ? 'bridge' : 'ovs'
}

async function converge(record: LabRecord, spec: LabSpec, onStep: (step: LabStep) => void): Promise<void> {
  const { tag, wire, spec: old } = record
  const hosts = keyedDiff(byName(old.hosts), byName(spec.hosts), same)
  const remade = new Set([...hosts.removed, ...hosts.changed].map((c) => c.key))
  const made = [...hosts.added, ...hosts.changed].map((c) => c.after)
  // The guests of a host that is made anew go with it, and come back with it.
  const guests = keyedDiff(byPort(old.guests.filter((g) => !remade.has(g.host))), byPort(spec.guests), same)
  const gone = [...guests.removed, ...guests.changed].map((c) => c.before)
  await eachHost(gone, 'removed guests', onStep, async (host, list) => {
    await runScript(tag, removeGuests(tag, host, list))
  })
  const switchedOff = [...hosts.removed, ...hosts.changed].map((c) => c.before)
  await mapBounded(switchedOff, PARALLEL, async (host) => {
    const { ms } = await timed(async () => await removeHost(record, host))
    onStep({ what: 'removed host', name: host.name, ms })
  })
  const segments = segmentsOf(spec).filter((s) => !segmentsOf(old).includes(s))
  await runScript(tag, addSegments(tag, wire, labDir(tag), segments))
  await mapBounded(made, PARALLEL, async (host) => {
    const { ms } = await timed(async () => await runScript(tag, makeHost(tag, wire, spec, host)))
    onStep({ what: 'host', name: host.name, ms })
  })
  const added = [...guests.added, ...guests.changed].map((c) => c.after)
  await eachHost(added, 'guests', onStep, async (host, list) => {
    const named = list.flatMap((g) => (g.netns === undefined ? [] : [{ name: g.netns, netns: guestNetns(tag, g.port) }]))
    await runScript(tag, [...nameNetns(tag, host, named), ...makeGuests(tag, host, list)])
  })
}

/**
 * A host's processes end with SIGKILL and its links go with its namespace: it is switched off, not shut down. Cables are pulled one by one,
 * because the kernel removes a namespace's links some time after its name, and the host may come back at once. Of a dead host some of that is gone already.
 */
async function removeHost(record: LabRecord, host: LabHost, state: 'alive' | 'dead' = 'alive'): Promise<void> {
  const { tag, wire, spec } = record
  const guests = spec.guests.filter((g) => g.host === host.name)
  const netns = [hostNetns(tag, host.name), ...guests.map((g) => guestNetns(tag, g.port))]
  const pids = state === 'alive' ? (await Promise.all(netns.map(pidsIn))).flat() : await pidsOf(record, host)
  for (const pid of pids) await tryRun(['kill', '-9', pid])
  const script = [
    ...cablesOf(spec, host, UNDERLAY_BRIDGE).flatMap((c) => pullCable(tag, wire, labDir(tag), c)),
    ...netns.map((n) => `ip netns del ${n}`),
  ]
  await runScript(tag, [...(state === 'alive' ? script : script.map((line) => `${line} || true`)), `rm -rf ${hostDir(tag, host.name)}`])
}

async function pidsIn(netns: string): Promise<string[]> {
  return (await run(['ip', 'netns', 'pids', netns])).split('\n').filter((pid) => pid !== '')
}

/** What runs of a host whose namespaces may have lost their names: inside those that are left, and whatever has the host's folder in its arguments. */
async function pidsOf({ tag, spec }: LabRecord, host: LabHost): Promise<string[]> {
  const guests = spec.guests.filter((g) => g.host === host.name)
  const names = [hostNetns(tag, host.name), ...guests.map((g) => guestNetns(tag, g.port))]
  const { netns, processes } = await findRemains(tag)
  const inside = (await Promise.all(names.filter((n) => netns.includes(n)).map(pidsIn))).flat()
  const dir = hostDir(tag, host.name)
  const named = processes.filter(({ argv }) => argv.some((word) => word === dir || word.includes(`${dir}/`)))
  return [...new Set([...inside, ...named.map((p) => String(p.pid))])]
}

async function eachHost(
  guests: readonly LabGuest[],
  what: LabStep['what'],
  onStep: (step: LabStep) => void,
  work: (host: string, guests: readonly LabGuest[]) => Promise<void>,
): Promise<void> {
  await mapBounded([...byHost(guests)], PARALLEL, async ([host, list]) => {
    const { ms } = await timed(async () => await work(host, list))
    onStep({ what, name: `${host}: ${list.length}`, ms })
  })
}

/** Mistakes that only a caller's bug can make: the CLI derives the spec from a world that was checked. */
function checkSpec(spec: LabSpec): void {
  const hosts = byName(spec.hosts)
  if (hosts.size !== spec.hosts.length) throw new Error('two hosts of the lab have one name')
  if (byPort(spec.guests).size !== spec.guests.length) throw new Error('two guests of the lab are one port')
  for (const guest of spec.guests)
    if (!hosts.has(guest.host)) throw new Error(`guest ${guest.port} is on host ${guest.host}, which is not in the lab`)
}

/** The guest with this port. @throws LabError `no_such_guest`, with the list of those there are. */
export function findGuest(lab: Lab, port: Key): LabGuest {
  const guest = lab.spec.guests.find((g) => g.port === port)
  if (guest !== undefined) return guest
  throw new LabError('no_such_guest', `no guest ${port} in this lab; there are: ${lab.spec.guests.map((g) => g.port).join(', ')}`)
}

/** The host with this name. @throws LabError `no_such_host`, with the list of those there are. */
export function findHost(lab: Lab, name: string): LabHost {
  assertTag(lab.tag)
  const host = lab.spec.hosts.find((h) => h.name === name)
  if (host !== undefined) return host
  throw new LabError('no_such_host', `no host ${name} in this lab; there are: ${lab.spec.hosts.map((h) => h.name).join(', ')}`)
}

function byName(hosts: readonly LabHost[]): Map<string, LabHost> {
  return new Map(hosts.map((h) => [h.name, h]))
}

function byPort(guests: readonly LabGuest[]): Map<Key, LabGuest> {
  return new Map(guests.map((g) => [g.port, g]))
}

function byHost(guests: readonly LabGuest[]): Map<string, LabGuest[]> {
  const groups = new Map<string, LabGuest[]>()
  for (const guest of guests) {
    const group = groups.get(guest.host)
    if (group === undefined) groups.set(guest.host, [guest])
    else group.push(guest)
  }
  return groups
}

/** By text: both sides are plain data with fields in the same order, and a false difference only makes the thing anew. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const start = performance.now()
  return { result: await work(), ms: performance.now() - start }
}
