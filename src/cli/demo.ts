import { type StdioOptions, spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execOk } from '../lab/exec.ts'
import { Guests } from '../lab/guests.ts'
import { type Lab, labDown, labUp } from '../lab/lab.ts'
import { lossDuring } from '../lab/probe.ts'
import { allPairs, describeWrong, pairsOf, proveAll } from '../lab/prove.ts'
import { findRemains, isClean } from '../lab/sweep.ts'
import { count } from '../lib/text.ts'
import { displayKey } from '../model/key.ts'
import type { DriftItem } from '../model/status.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { labTag, labWorld } from './lab.ts'
import { reaches } from './lab-reach.ts'
import { labStateFile, startLabAgent, startLabServer, waitConverged } from './lab-session.ts'
import { labSpecOf } from './lab-spec.ts'
import type { Output } from './output.ts'

const NETLOOM = fileURLToPath(new URL('./main.js', import.meta.url))
/** `build/src/cli` → the top of the checkout. */
const SAMPLE = fileURLToPath(new URL('../../../samples/01-three-hosts', import.meta.url))
const HEARTBEAT_MS = 500
const REPAIR_MS = 15_000
const DEAD_MS = 1_000
const NEW_PORT = '  web-4: { network: blue, host: h2 }\n'

/** What was seen, for the last line. */
interface Seen {
  pairs: number
  silent: number
  probes: number
  /** Acts of other hands, and the differences that drift showed because of them; of those, ours that were repaired, and others' that were left. */
  acts: number
  found: number
  repaired: number
  foreign: number
  /** Packets sent while the server was dead and started again, and those of them that were lost. */
  sent: number
  lost: number
}

/**
 * `netloom demo`: the main job, start to end, with the commands an operator would type. Works on a copy of the first sample; takes everything down again
 * whatever happens.
 */
export async function demo(options: { readonly keep: boolean }, output: Output): Promise<ExitCode> {
  const began = Date.now()
  const dir = await mkdtemp(join(tmpdir(), 'netloom-demo-'))
  const tag = labTag(dir)
  const seen: Seen = { pairs: 0, silent: 0, probes: 0, acts: 0, found: 0, repaired: 0, foreign: 0, sent: 0, lost: 0 }
  const interrupted = new AbortController()
  const stop = (): void => interrupted.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    await show(dir, tag, seen, output, interrupted.signal)
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    if (!options.keep) await takeDown(dir, tag, output)
  }
  if (interrupted.signal.aborted) throw new CommandError('interrupted; everything was taken down')
  const seconds = Math.round((Date.now() - began) / 1000)
  output.print(
    `Proved in ${seconds} s: 3 hosts, VXLAN and VLAN, ${seen.pairs} pairs of ports reach each other and ${seen.silent} that must not do not (${seen.probes} probes: ping, TCP, UDP), ` +
      `a port added by editing YAML answers, a server that was killed came back while ${seen.lost} of ${seen.sent} packets were lost, all ${seen.acts} acts of other hands on Open vSwitch were found and explained (${count(seen.found, 'difference')}: ${seen.repaired} of ours repaired, ${seen.foreign} of others left alone)${options.keep ? `; the lab stands: netloom lab down ${dir}` : ', nothing was left behind'}.`,
  )
  return EXIT.clean
}

async function show(dir: string, tag: string, seen: Seen, output: Output, signal: AbortSignal): Promise<void> {
  const go = (title: string): void => {
    signal.throwIfAborted()
    output.print(`\n━━ ${title}`)
  }
  go('A repository: three hosts, a VXLAN and a VLAN network')
  await cp(SAMPLE, dir, { recursive: true })
  const state = ['--state', labStateFile(tag)]
  await netloom(output, ['validate', dir])

  go('Three hosts with real Open vSwitch, in network namespaces')
  const world = await labWorld(dir, output)
  const spec = labSpecOf(world)
  const lab = await labUp(tag, spec, (step) => output.print(`   ${step.what} ${step.name} (${Math.round(step.ms)} ms)`))
  const server = await startLabServer(lab, dir, { manual: true, fresh: true, heartbeatMs: HEARTBEAT_MS })
  for (const host of spec.hosts) await startLabAgent(lab, host.name)
  output.print(`   a server and ${spec.hosts.length} agents run`)

  go('The plan, before anything moves')
  await netloom(output, ['plan', dir, ...state])
  go('Commit, publish, converge')
  await netloom(output, ['apply', '--dir', dir, ...state])
  await everyPort(lab, tag)
  await netloom(output, ['status', dir, ...state])

  go('Who reaches whom: every pair, with packets')
  await prove(lab, dir, seen, output)

  go('Edit the YAML: a port appears')
  const file = join(dir, 'blue.yaml')
  await writeFile(file, `${await readFile(file, 'utf8')}${NEW_PORT}`)
  output.print(`   blue.yaml: + ${NEW_PORT.trim()}`)
  await netloom(output, ['plan', dir, ...state])
  const grown = await labUp(tag, labSpecOf(await labWorld(dir, output)))
  await netloom(output, ['apply', '--dir', dir, ...state])
  await everyPort(grown, tag)
  await prove(grown, dir, seen, output)

  go('The server dies, and is brought back')
  await bringBack(grown, dir, server, seen, output)
  await netloom(output, ['status', dir, ...state])

  go('Break Open vSwitch by hand')
  await vandalise(grown, dir, state, seen, output)
  await prove(grown, dir, seen, output)
}

/** What supervision is for (`samples/systemd`): the server ends without a word, hosts go on, and a new one finds everything as it was. */
async function bringBack(lab: Lab, dir: string, server: number, seen: Seen, output: Output): Promise<void> {
  const [from, to] = lab.spec.guests.filter((g) => g.port.includes('/web-'))
  const address = to?.addresses[0]?.replace(/\/.*$/, '')
  if (from === undefined || to === undefined || address === undefined) throw new CommandError('the sample has no two ports that talk')
  const guests = new Guests(lab)
  try {
    const { udp } = await lossDuring(guests, { from: from.port, to: to.port, address }, async () => {
      output.print(`   kill -9 ${server}`)
      process.kill(server, 'SIGKILL')
      await sleep(DEAD_MS)
      await startLabServer(lab, dir, { manual: true, fresh: false, heartbeatMs: HEARTBEAT_MS })
      output.print('   the server runs again')
      await everyPort(lab, lab.tag)
    })
    seen.sent = udp.sent
    seen.lost = udp.lost
    output.print(`   meanwhile ${udp.lost} of ${udp.sent} packets between ${displayKey(from.port)} and ${displayKey(to.port)} were lost`)
  } finally {
    await guests.close()
  }
}

/** What another hand does to h1's switch, and how `netloom drift` is to show it. */
interface Act {
  readonly argv: readonly string[]
  readonly shows: (item: DriftItem) => boolean
}

/** Three hands on h1's switch; the agent is told to report only, so that the drift can be looked at before it is repaired. What is counted is what the agents answer. */
async function vandalise(lab: Lab, dir: string, state: readonly string[], seen: Seen, output: Output): Promise<void> {
  const site = join(dir, 'netloom.yaml')
  const before = await readFile(site, 'utf8')
  output.print('   netloom.yaml: + drift: { mode: report }')
  await writeFile(site, `${before}drift: { mode: report }\n`)
  await netloom(output, ['apply', '--dir', dir, ...state])
  const known = identities(await askDrift(dir, state))
  const acts = actsOn(await flowsOf(lab, 'h1'))
  for (const { argv } of acts) {
    output.print(`   h1# ${argv.join(' ')}`)
    await execOk(lab, { host: 'h1' }, argv)
  }
  await netloom(output, ['drift', dir, ...state])
  const found = (await askDrift(dir, state)).filter((item) => !known.has(identity(item)))
  const missed = acts.filter((act) => !found.some(act.shows))
  if (missed.length > 0) throw new CommandError(`drift does not show what was done by: ${missed.map((m) => m.argv.join(' ')).join('; ')}`)
  const ours = found.filter((item) => item.kind !== 'foreign')
  const repairing = ours.filter((item) => item.action !== 'report')
  if (repairing.length > 0) throw new CommandError(`an agent that was told to report is repairing: ${repairing.map(identity).join(', ')}`)
  output.print('   netloom.yaml: - drift: { mode: report }')
  await writeFile(site, before)
  await netloom(output, ['apply', '--dir', dir, ...state])
  const left = await untilRepaired(dir, state, identities(ours))
  await netloom(output, ['drift', dir, ...state])
  seen.acts = acts.length
  seen.found = found.length
  seen.repaired = ours.length
  seen.foreign = left.filter((item) => item.kind === 'foreign' && !known.has(identity(item))).length
}

/** A flow deleted, a row altered, a flow of nobody's added. */
function actsOn(flows: string): readonly Act[] {
  const victim = /in_port=(\d+)/.exec(flows.split('\n').find((line) => /in_port=\d+,vlan_tci/.test(line)) ?? flows)?.[1] ?? '1'
  return [
    {
      argv: ['ovs-ofctl', '-O', 'OpenFlow14', 'del-flows', 'br-int', `table=0,in_port=${victim}`],
      shows: (item) => item.kind === 'missing' && item.where.startsWith('flow br-int classify') && item.where.includes(`in_port=${victim}`),
    },
    {
      argv: ['ovs-vsctl', 'set', 'Interface', 'nl-vxlan', 'options:key=77'],
      shows: (item) => item.kind === 'altered' && item.where === 'row Interface nl-vxlan',
    },
    {
      argv: ['ovs-ofctl', '-O', 'OpenFlow14', 'add-flow', 'br-int', 'cookie=0x7,table=0,priority=9,in_port=999,actions=drop'],
      shows: (item) => item.kind === 'foreign' && item.where.includes('in_port=999'),
    },
  ]
}

async function flowsOf(lab: Lab, host: string): Promise<string> {
  return await execOk(lab, { host }, ['ovs-ofctl', '-O', 'OpenFlow14', '--no-names', 'dump-flows', 'br-int', 'table=0'])
}

function identity(item: DriftItem): string {
  return `${item.kind} ${item.where}`
}

function identities(items: readonly DriftItem[]): ReadonlySet<string> {
  return new Set(items.map(identity))
}

/** Resolves to what is left of drift when none of these is; each answer is a fresh reading of the switches. */
async function untilRepaired(dir: string, state: readonly string[], broken: ReadonlySet<string>): Promise<readonly DriftItem[]> {
  const end = Date.now() + REPAIR_MS
  for (;;) {
    const items = await askDrift(dir, state)
    const open = items.filter((item) => broken.has(identity(item)))
    if (open.length === 0) return items
    if (Date.now() > end) throw new CommandError(`not repaired within ${REPAIR_MS / 1000} s: ${open.map(identity).join(', ')}`)
  }
}

/** What `netloom drift --json` says of all hosts. */
async function askDrift(dir: string, state: readonly string[]): Promise<readonly DriftItem[]> {
  const { code, out } = await runNetloom(['drift', dir, ...state, '--json'], ['ignore', 'pipe', 'inherit'])
  if (code !== EXIT.clean) throw new CommandError(`netloom drift --json ended with exit code ${code}: ${out}`)
  return (JSON.parse(out) as { readonly drift: readonly DriftItem[] }).drift
}

async function everyPort(lab: Lab, tag: string): Promise<void> {
  const hosts = lab.spec.hosts.map((h) => h.name)
  const answer = await waitConverged(tag, hosts, 30_000, (a) =>
    lab.spec.guests.every((g) => a.fleet.status.some((s) => s.key === g.port && s.state === 'ACTIVE')),
  )
  const open = lab.spec.guests.filter((g) => answer?.fleet.status.find((s) => s.key === g.port)?.state !== 'ACTIVE')
  if (open.length > 0)
    throw new CommandError(`not every port became active: ${open.map((g) => g.port).join(', ')}`, { exit: EXIT.notConverged })
}

async function prove(lab: Lab, dir: string, seen: Seen, output: Output): Promise<void> {
  const pairs = allPairs(lab, reaches(await labWorld(dir, output)))
  const proof = await proveAll(lab, pairs)
  output.print(`   ${proof.summary}`)
  if (proof.wrong.length > 0) throw new CommandError(describeWrong(proof).join('\n'))
  const { all, none } = pairsOf(proof.results)
  seen.pairs = all.size
  seen.silent = none.size
  seen.probes += proof.results.length
}

/** Runs a command as an operator would, its output in the open. */
async function netloom(output: Output, args: readonly string[]): Promise<void> {
  output.print(`$ netloom ${args.filter((a, i) => a !== '--state' && args[i - 1] !== '--state').join(' ')}`)
  const { code } = await runNetloom(args, ['ignore', 'inherit', 'inherit'])
  if (code !== EXIT.clean) throw new CommandError(`netloom ${args[0] ?? ''} ended with exit code ${code}`)
}

async function runNetloom(args: readonly string[], stdio: StdioOptions): Promise<{ readonly code: number; readonly out: string }> {
  const child = spawn(process.execPath, [NETLOOM, ...args], { stdio })
  let out = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text))
  return await new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? EXIT.error, out })))
}

async function takeDown(dir: string, tag: string, output: Output): Promise<void> {
  output.print('\n━━ Take everything down')
  await labDown(tag)
  await rm(dir, { recursive: true, force: true })
  const left = await findRemains(tag)
  if (!isClean(left)) throw new CommandError(`something was left behind: ${JSON.stringify(left)}`)
  output.print('   no namespace, link, process or file is left')
}
