import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { execOk } from '../../src/lab/exec.ts'
import { hostDir } from '../../src/lab/names.ts'
import { hostStates } from '../../src/server/render/fleet.ts'
import { port, Rig } from './rig.ts'
import { EMPTY, filesOf, ORDER, type Repo, STATES, textOf } from './sequences-states.ts'
import { differences, flowTexts, linkNames, rowTexts } from './switch.ts'

/*
 * Whatever way led to a state, hosts hold what a fresh host holds that was told of this state alone: flows, groups, meters, rows, links, number for number. And when the repository is empty
 * again nothing is left of all of it.
 */

const LONG = process.env['NETLOOM_LONG'] !== undefined
const HOSTS = ['h1', 'h2']
const NAMES = Object.keys(STATES)

let rig: Rig
let now: Repo = EMPTY
/** The whole of each host before an agent was ever started there. */
let untouched: ReadonlySet<string> = new Set()
const fresh = new Map<string, ReadonlySet<string>>()

test.before(async () => {
  rig = await Rig.up(filesOf(STATES['FIRST'] ?? EMPTY), 'none')
  // The lab's hypervisor has made the bridge.
  for (const host of HOSTS) await rig.vsctl(host, 'del-br', 'br-int')
  untouched = await whole()
  for (const [name, text] of Object.entries(filesOf(EMPTY))) await rig.write(name, text)
  for (const host of HOSTS) await rig.startAgent(host)
  await rig.startServer()
})
test.after.always(async () => await rig?.close())

const state = (name: string): Repo => STATES[name] ?? EMPTY

/** Writes a state, all at once, and waits until every host has what follows from it. */
async function jump(to: Repo): Promise<void> {
  if (textOf(to) === textOf(now)) return
  const at = (await rig.status())?.fleet.revision ?? 0
  await rig.write('net.yaml', textOf(to))
  now = to
  await rig.until('it is taken, or has a mistake', (a) => (a.fleet.revision > at && a.repo === 'clean') || a.issues.length > 0)
  const issues = (await rig.status())?.issues ?? []
  if (issues.length > 0) throw new Error(JSON.stringify(issues))
  await settled()
}

async function settled(): Promise<void> {
  await rig.until('all hosts hold it', (a) => {
    const states = hostStates({ ...a.fleet, targets: new Map(a.fleet.targets) })
    const here = Object.keys(now['hosts'] ?? {})
    const of = (h: string): (typeof states)[number] | undefined => states.find((s) => s.host === h)
    return (
      a.repo === 'clean' &&
      HOSTS.every((h) => (here.includes(h) ? of(h)?.sync === 'Synced' : of(h) === undefined || isEmptied(of(h)?.notes.join())))
    )
  })
}

const isEmptied = (notes?: string): boolean => notes?.startsWith('left the repository and holds nothing any more') === true

/** What comes, one collection at a time; then what goes, those that name others first. */
async function walk(to: Repo): Promise<void> {
  for (const kind of ORDER) await jump({ ...now, [kind]: { ...now[kind], ...to[kind] } })
  for (const kind of [...ORDER].reverse()) await jump({ ...now, [kind]: to[kind] ?? {} })
}

/** Two guests talk, so that there are connections to be forgotten. */
async function talk(): Promise<void> {
  if (now['ports']?.['p1'] === undefined || now['ports']?.['p2'] === undefined) return
  await execOk(rig.lab, { port: port('p1') }, ['ping', '-n', '-c', '1', '-W', '1', '10.10.0.12']).catch(() => '')
}

const VOLATILE =
  /^(_uuid|statistics|cur_cfg|next_cfg|ifindex|link_resets|ofport|mac_in_use|status|duplex|link_speed|link_state|admin_state|lacp_current|mtu)$/

async function bridges(host: string): Promise<readonly string[]> {
  return (await rig.vsctl(host, 'list-br'))
    .trim()
    .split('\n')
    .filter((b) => b !== '')
}

/** Flows, groups, meters, rows and links; one line each. */
async function holdings(): Promise<ReadonlySet<string>> {
  const lines = new Set<string>()
  for (const host of HOSTS) {
    for (const row of (await rowTexts(rig, host)).split('\n')) lines.add(`${host} row ${row}`)
    for (const link of await linkNames(rig, host)) lines.add(`${host} link ${link}`)
    if (!(await bridges(host)).includes('br-int')) continue
    for (const flow of await flowTexts(rig, host)) lines.add(`${host} flow ${flow}`)
    for (const what of ['groups', 'meters']) {
      const text = await rig.ofctl(host, `dump-${what}`, 'br-int')
      for (const line of text.split('\n').filter((l) => !l.includes('OFPST'))) lines.add(`${host} ${what} ${line.trim()}`)
    }
  }
  return lines
}

/** All that a host holds at all: every table of OVSDB, flows of every bridge, links, connections. */
async function whole(): Promise<ReadonlySet<string>> {
  const lines = new Set<string>()
  for (const host of HOSTS) {
    const tables = (await rig.on(host, 'sh', '-c', 'ovsdb-client list-tables "unix:$OVS_RUNDIR/db.sock" Open_vSwitch -f csv --no-headings'))
      .trim()
      .split('\n')
    for (const table of tables) {
      const { headings, data } = JSON.parse(await rig.vsctl(host, '-f', 'json', 'list', table)) as { headings: string[]; data: unknown[][] }
      for (const row of data) {
        const cells = row.flatMap((cell, n) => (VOLATILE.test(headings[n] ?? '') ? [] : [`${headings[n]}=${JSON.stringify(cell)}`]))
        lines.add(`${host} ${table} ${cells.join(' ').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'U')}`)
      }
    }
    for (const bridge of await bridges(host)) {
      const flows = await rig.ofctl(host, '--no-stats', '--no-names', 'dump-flows', bridge)
      for (const line of flows.split('\n').filter((l) => l.includes('actions='))) lines.add(`${host} ${bridge} ${line.trim()}`)
    }
    for (const line of (await rig.on(host, 'ip', '-br', 'link')).trim().split('\n')) lines.add(`${host} link ${line.split(/[@ ]/)[0]}`)
    for (const line of (await rig.on(host, 'ovs-appctl', 'dpctl/dump-conntrack')).split('\n').filter((l) => l.includes('orig=')))
      lines.add(`${host} connection ${line}`)
  }
  return lines
}

const agentDir = (host: string): string => join(hostDir(rig.tag, host), 'agent')

/** What hosts hold that were told of this state alone, and whose agents remember no other. */
async function told(name: string): Promise<ReadonlySet<string>> {
  const known = fresh.get(name)
  if (known !== undefined) return known
  await jump(EMPTY)
  // An agent without memory of a host that is not in the repository could not tell its own things from those of others.
  for (const host of Object.keys(state(name)['hosts'] ?? {})) {
    await rig.stopAgent(host, 'SIGKILL')
    await rm(agentDir(host), { recursive: true, force: true })
    await rig.startAgent(host)
  }
  await jump(state(name))
  const held = await holdings()
  fresh.set(name, held)
  return held
}

async function assertAsTold(t: ExecutionContext, name: string, way: string): Promise<void> {
  const held = await holdings()
  const there = now
  const wanted = await told(name)
  if (now !== there) await jump(there)
  t.deepEqual(differences(wanted, held), [], `${way}: ${name}`)
}

test.serial('fresh hosts are told of each state alone', async (t) => {
  t.timeout(600_000)
  for (const name of NAMES) t.true((await told(name)).size > 100, name)
  await jump(EMPTY)
})

test.serial('forward, one after another, and back again', async (t) => {
  t.timeout(600_000)
  for (const name of NAMES) {
    await jump(state(name))
    await talk()
    await assertAsTold(t, name, 'forward')
  }
  for (const name of [...NAMES].reverse().slice(1)) {
    await jump(state(name))
    await talk()
    await assertAsTold(t, name, 'back')
  }
})

test.serial('from the first to the last at once, and split: one collection at a time', async (t) => {
  t.timeout(600_000)
  await jump(state('ALONE'))
  await assertAsTold(t, 'ALONE', 'at once')
  for (const name of ['OPEN', 'TRUNK']) {
    await walk(state(name))
    await talk()
    await assertAsTold(t, name, 'split')
  }
})

const step = fc.record({ to: fc.constantFrom(...NAMES), how: fc.constantFrom(jump, walk) })

test.serial('any sequence of them, at once and split', async (t) => {
  t.timeout(LONG ? 3_600_000 : 600_000)
  const begun = performance.now()
  let [sequences, steps] = [0, 0]
  const property = fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 4 }), async (list) => {
    if (!LONG && performance.now() - begun > 8_000) return
    const way = list.map((s) => `${s.how.name} ${s.to}`).join(', ')
    for (const { to, how } of list) {
      await how(state(to))
      await talk()
      steps++
    }
    const last = list.at(-1)?.to ?? ''
    const found = differences(await told(last), await holdings())
    if (found.length > 0) throw new Error(`after ${way}:\n${found.slice(0, 20).join('\n')}`)
    sequences++
  })
  await t.notThrowsAsync(fc.assert(property, { seed: 20_261, numRuns: LONG ? 400 : 8, endOnFailure: true }))
  t.log(`${sequences} sequences of ${steps} steps`)
  t.true(sequences > 0)
})

test.serial('an empty repository leaves hosts as they were before an agent was ever started', async (t) => {
  t.timeout(120_000)
  await jump(state('LIMITS'))
  await talk()
  await jump(EMPTY)
  await rig.seen('nothing of ours is left', async () => !(await bridges('h1')).includes('br-int'))
  t.deepEqual(differences(untouched, await whole()), [])
  const files = await Promise.all(HOSTS.map(async (h) => (await readdir(agentDir(h))).sort()))
  t.log(`in the agents’ folders: ${JSON.stringify(files)}`)
  t.deepEqual(files[0], files[1])
})
