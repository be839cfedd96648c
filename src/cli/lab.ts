import { mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Command } from 'commander'
import { execInteractive } from '../lab/exec.ts'
import { type Lab, type LabStep, labDown, labOpen, labUp } from '../lab/lab.ts'
import { tagOf } from '../lab/names.ts'
import { allPairs, describeWrong, proveAll } from '../lab/prove.ts'
import type { LabSpec } from '../lab/spec.ts'
import { type HostStatus, labStatus } from '../lab/status.ts'
import { describeRemains, isClean } from '../lab/sweep.ts'
import { makeKey } from '../model/key.ts'
import type { World } from '../server/engine/types.ts'
import type { HostState } from '../server/render/fleet.ts'
import { renderStatus } from '../server/render/status.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { reaches } from './lab-reach.ts'
import { labAgents, labStateFile, startLabAgent, startLabServer, waitConverged } from './lab-session.ts'
import { labSpecOf } from './lab-spec.ts'
import { lookOffline } from './offline.ts'
import { type Output, styleOf } from './output.ts'
import { askServer, readStatus } from './status.ts'
import { issuesText } from './validate.ts'

type Run = (options: { readonly json?: true; readonly verbose?: true }, work: (output: Output) => Promise<ExitCode>) => Promise<void>

/** The lab that belongs to a repository: the same folder is always the same lab, two folders are two labs. */
export function labTag(dir: string): string {
  return tagOf(resolve(dir))
}

/** `netloom lab …`: the repository on real Open vSwitch hosts in network namespaces of this machine. */
export function labCommand(run: Run): Command {
  const lab = new Command('lab')
    .description('real Open vSwitch hosts in network namespaces, for trying a repository (root)')
    .enablePositionalOptions()
  const command = (name: string, description: string): Command =>
    lab.command(name).description(description).option('--json', 'one JSON document on stdout')
  command('up', 'start a host for each host, a guest for each port, a server and the agents; again: follow the repository')
    .argument('[dir]', 'the repository', '.')
    .action((dir: string, options: { json?: true }) => run(options, (out) => up(dir, out)))
  command('status', 'what runs, and whether it has converged')
    .argument('[dir]', 'the repository', '.')
    .option('--verbose', 'every object, nothing shortened')
    .action((dir: string, options: { json?: true; verbose?: true }) => run(options, (out) => labState(dir, out)))
  command('ping', 'prove who reaches whom: ping, TCP and UDP with payload, every pair')
    .argument('[dir]', 'the repository', '.')
    .action((dir: string, options: { json?: true }) => run(options, (out) => ping(dir, out)))
  lab
    .command('exec')
    .description('run a program on a host (h1) or in a guest (port name, or project/name)')
    .argument('<where>')
    .argument('<argv...>')
    .option('--dir <dir>', 'the repository', '.')
    .passThroughOptions()
    .action((where: string, argv: string[], options: { dir: string }) =>
      run({}, () => execIn(options.dir, where, argv[0] === '--' ? argv.slice(1) : argv)),
    )

  command('down', 'take everything down without a trace')
    .argument('[dir]', 'the repository', '.')
    .action((dir: string, options: { json?: true }) => run(options, (out) => down(dir, out)))
  return lab
}

/** The world that the repository describes, with the addresses that the lab's own state has pinned. */
export async function labWorld(dir: string, output: Output): Promise<World> {
  const stateFile = labStateFile(labTag(dir))
  await mkdir(dirname(stateFile), { recursive: true })
  const look = await lookOffline(dir, stateFile, 'plan')
  try {
    const { issues, ready } = look.proposal
    if (ready !== undefined) return ready.step.world
    throw new CommandError(`${issuesText(dir, issues, output)}\nthe lab was not started`, { hint: 'netloom validate' })
  } finally {
    await look.store.close()
  }
}

async function up(dir: string, output: Output): Promise<ExitCode> {
  const tag = labTag(dir)
  const spec = labSpecOf(await labWorld(dir, output))
  if (spec.hosts.length === 0)
    throw new CommandError('the repository declares no hosts', { hint: 'hosts: { h1: { tunnel_ip: 192.0.2.1 } }' })
  const { lab, anew } = await bringUp(dir, spec, output)
  const running = (await askServer(labStateFile(tag))) !== undefined
  if (!running) await startLabServer(lab, resolve(dir), { manual: false, fresh: anew, heartbeatMs: 1000 })
  const agents = await labAgents(lab)
  const hosts = lab.spec.hosts.map((h) => h.name)
  for (const name of hosts) if (!agents.has(name)) await startLabAgent(lab, name)
  const answer = await waitConverged(tag, hosts, 30_000, (a) =>
    lab.spec.guests.every((g) => a.fleet.status.some((s) => s.key === g.port && s.state === 'ACTIVE')),
  )
  const text =
    answer === undefined
      ? 'the server does not answer'
      : renderStatus({ ...answer.fleet, targets: new Map(answer.fleet.targets) }, styleOf(output))
  const there =
    answer !== undefined && lab.spec.guests.every((g) => answer.fleet.status.some((s) => s.key === g.port && s.state === 'ACTIVE'))
  output.result({ tag, hosts, guests: lab.spec.guests.map((g) => g.port), converged: there }, () =>
    [
      text,
      `Lab ${tag} is up; it follows ${dir} by itself. Guests of new ports: netloom lab up ${dir}`,
      `next: netloom lab ping ${dir}; netloom lab exec --dir ${dir} ${hosts[0] ?? 'h1'} ovs-vsctl show; netloom lab down ${dir}`,
    ].join('\n'),
  )
  return there ? EXIT.clean : EXIT.notConverged
}

/** `anew`: nothing of the lab ran before, and its state went with it. */
async function bringUp(dir: string, spec: LabSpec, output: Output): Promise<{ readonly lab: Lab; readonly anew: boolean }> {
  const tag = labTag(dir)
  const made = new Set<string>()
  const onStep = (step: LabStep): void => {
    if (step.what === 'host') made.add(step.name)
    output.say(`${step.what} ${step.name} (${Math.round(step.ms)} ms)`)
  }
  const lab = await labUp(tag, spec, onStep)
  if (made.size < spec.hosts.length) return { lab, anew: false }
  // What the lab's state had pinned is gone: the guests get what the repository gives without it.
  return { lab: await labUp(tag, labSpecOf(await labWorld(dir, output)), onStep), anew: true }
}

async function opened(dir: string): Promise<Lab> {
  const lab = await labOpen(labTag(dir))
  if (lab === undefined) throw new CommandError(`no lab is up for ${resolve(dir)}`, { hint: `netloom lab up ${dir}` })
  return lab
}

async function labState(dir: string, output: Output): Promise<ExitCode> {
  const state = await labStatus(labTag(dir))
  if (state.state !== 'up') {
    output.result(state, () =>
      state.state === 'none' ? `no lab is up for ${resolve(dir)}` : `lab ${state.tag} is half made: netloom lab up, or netloom lab down`,
    )
    return EXIT.clean
  }
  const { data, text } = await readStatus(labStateFile(state.tag))
  output.result({ ...state, ...data, hosts: withSwitches(data.hosts, state.hosts) }, () => {
    const switches = state.hosts.map((h) => `${h.name}  ${h.switch}  ${h.netns}  ${Math.round(h.memory_kb / 1024)} MB`)
    return [...switches, text(styleOf(output))].join('\n')
  })
  return EXIT.clean
}

/** What `netloom status --json` says of every host, and beside it what the machine says of its switch; a host may be known to only one of the two. */
function withSwitches(states: readonly HostState[], switches: readonly HostStatus[]): readonly object[] {
  const there = new Map(switches.map((s) => [s.name, s]))
  const known = new Set(states.map((s) => s.host))
  const described = ({ name: _, ...rest }: Partial<HostStatus> = {}): object => rest
  return [
    ...states.map((s) => ({ ...s, ...described(there.get(s.host)) })),
    ...switches.filter((s) => !known.has(s.name)).map((s) => ({ host: s.name, sync: 'Unknown', health: 'Missing', ...described(s) })),
  ]
}

async function ping(dir: string, output: Output): Promise<ExitCode> {
  const lab = await opened(dir)
  const world = await labWorld(dir, output)
  const proof = await proveAll(lab, allPairs(lab, reaches(world)))
  output.result({ wrong: proof.wrong, probes: proof.results.length, ms: proof.ms }, () =>
    [...describeWrong(proof), proof.summary].join('\n'),
  )
  return proof.wrong.length === 0 ? EXIT.clean : EXIT.error
}

async function execIn(dir: string, where: string, argv: readonly string[]): Promise<ExitCode> {
  const lab = await opened(dir)
  if (lab.spec.hosts.some((h) => h.name === where)) return (await execInteractive(lab, { host: where }, argv)) as ExitCode
  const named = where.includes('/') ? makeKey('port', where.split('/')[0] ?? '', where.split('/')[1] ?? '') : undefined
  const matches = lab.spec.guests.filter((g) => (named === undefined ? g.port.endsWith(`/${where}`) : g.port === named))
  const [guest, other] = matches
  if (guest === undefined)
    throw new CommandError(`lab ${lab.tag} has no host and no guest ${where}`, {
      hint: `hosts: ${lab.spec.hosts.map((h) => h.name).join(', ')}`,
    })
  if (other !== undefined)
    throw new CommandError(`several ports are called ${where}`, { hint: matches.map((m) => m.port.replace('port/', '')).join(' or ') })
  return (await execInteractive(lab, { port: guest.port }, argv)) as ExitCode
}

async function down(dir: string, output: Output): Promise<ExitCode> {
  const remains = await labDown(labTag(dir))
  output.result({ removed: remains }, () =>
    isClean(remains) ? 'There was nothing to take down.' : `Taken down: ${describeRemains(remains)}`,
  )
  return EXIT.clean
}
