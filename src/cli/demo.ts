import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execOk } from '../lab/exec.ts'
import { type Lab, labDown, labUp } from '../lab/lab.ts'
import { allPairs, describeWrong, proveAll } from '../lab/prove.ts'
import { findRemains, isClean } from '../lab/sweep.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { labTag, labWorld, reaches } from './lab.ts'
import { labStateFile, startLabAgent, startLabServer, waitConverged } from './lab-session.ts'
import { labSpecOf } from './lab-spec.ts'
import type { Output } from './output.ts'

const NETLOOM = fileURLToPath(new URL('./main.js', import.meta.url))
/** `build/src/cli` → the top of the checkout. */
const SAMPLE = fileURLToPath(new URL('../../../samples/01-three-hosts', import.meta.url))
const HEARTBEAT_MS = 500
const NEW_PORT = '  web-4: { network: blue, host: h2 }\n'

/** What was seen, for the last line. */
interface Seen {
  pairs: number
  silent: number
  probes: number
  drifted: number
}

/**
 * `netloom demo`: the main job, start to end, with the commands an operator would type. Works on a copy of the first sample; takes everything down again
 * whatever happens.
 */
export async function demo(options: { readonly keep: boolean }, output: Output): Promise<ExitCode> {
  const began = Date.now()
  const dir = await mkdtemp(join(tmpdir(), 'netloom-demo-'))
  const tag = labTag(dir)
  const seen: Seen = { pairs: 0, silent: 0, probes: 0, drifted: 0 }
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
      `a port added by editing YAML answers, ${seen.drifted} acts of vandalism were found, explained and repaired${options.keep ? `; the lab stands: netloom lab down ${dir}` : ', nothing was left behind'}.`,
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
  await startLabServer(lab, dir, { manual: true, fresh: true, heartbeatMs: HEARTBEAT_MS })
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

  go('Break Open vSwitch by hand')
  await vandalise(grown, dir, state, seen, output)
  await prove(grown, dir, seen, output)
}

/** Three hands on h1's switch; the agent is asked to report only, so that the drift can be looked at before it is repaired. */
async function vandalise(lab: Lab, dir: string, state: readonly string[], seen: Seen, output: Output): Promise<void> {
  const site = join(dir, 'netloom.yaml')
  const before = await readFile(site, 'utf8')
  await writeFile(site, `${before}drift: { mode: report }\n`)
  await netloom(output, ['apply', '--dir', dir, ...state], { quiet: true })
  const at = { host: 'h1' }
  const flows = await execOk(lab, at, ['ovs-ofctl', '-O', 'OpenFlow14', '--no-names', 'dump-flows', 'br-int', 'table=0'])
  const victim = /in_port=(\d+)[^\n]*/.exec(flows.split('\n').find((l) => /in_port=\d+,vlan_tci/.test(l)) ?? flows)?.[1] ?? '1'
  const acts = [
    ['ovs-ofctl', '-O', 'OpenFlow14', 'del-flows', 'br-int', `table=0,in_port=${victim}`],
    ['ovs-vsctl', 'set', 'Interface', 'nl-vxlan', 'options:key=77'],
    ['ovs-ofctl', '-O', 'OpenFlow14', 'add-flow', 'br-int', 'cookie=0x7,table=0,priority=9,in_port=999,actions=drop'],
  ]
  for (const act of acts) {
    output.print(`   h1# ${act.join(' ')}`)
    await execOk(lab, at, act)
  }
  await netloom(output, ['drift', dir, ...state], { expect: EXIT.clean })
  output.print('   drift: { mode: repair } again')
  await writeFile(site, before)
  await netloom(output, ['apply', '--dir', dir, ...state], { quiet: true })
  await waitConverged(lab.tag, ['h1'], 10_000, (a) => a.fleet.drift.every((d) => d.kind === 'foreign' || d.action === 'repaired'))
  await netloom(output, ['drift', dir, ...state], { expect: EXIT.clean })
  seen.drifted = 2
  output.print('   the foreign flow is not ours: it is listed and left alone')
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
  seen.pairs = pairs.filter((p) => p.reach).length
  seen.silent = pairs.length - seen.pairs
  seen.probes += proof.results.length
}

/** Runs a command as an operator would, its output in the open. */
async function netloom(
  output: Output,
  args: readonly string[],
  options: { readonly quiet?: boolean; readonly expect?: ExitCode } = {},
): Promise<void> {
  if (options.quiet !== true) output.print(`$ netloom ${args.filter((a, i) => a !== '--state' && args[i - 1] !== '--state').join(' ')}`)
  const child = spawn(process.execPath, [NETLOOM, ...args], { stdio: options.quiet === true ? 'ignore' : ['ignore', 'inherit', 'inherit'] })
  const code = await new Promise<number>((resolve) => child.once('close', (c) => resolve(c ?? EXIT.error)))
  if (code !== (options.expect ?? EXIT.clean)) throw new CommandError(`netloom ${args[0] ?? ''} ended with exit code ${code}`)
}

async function takeDown(dir: string, tag: string, output: Output): Promise<void> {
  output.print('\n━━ Take everything down')
  await labDown(tag)
  await rm(dir, { recursive: true, force: true })
  const left = await findRemains(tag)
  if (!isClean(left)) throw new CommandError(`something was left behind: ${JSON.stringify(left)}`)
  output.print('   no namespace, link, process or file is left')
}
