#!/usr/bin/env node
import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { endpointFault } from '../lib/endpoint.ts'
import { BootError } from '../server/boot.ts'
import { VERSION } from '../server/context.ts'
import { parseAllow } from '../server/guard/allow.ts'
import { issueJson } from '../server/render/issue.ts'
import { checkRoot } from '../server/repo/scan.ts'
import { defaultStateFile } from '../server/serve.ts'
import { apply } from './apply.ts'
import { showAvailability } from './availability.ts'
import { demo } from './demo.ts'
import { drift } from './drift.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { history } from './history.ts'
import { init } from './init.ts'
import { keysCommand } from './keys.ts'
import { kinds, plugins } from './kinds.ts'
import { labCommand } from './lab.ts'
import { logs } from './logs.ts'
import { createOutput, FORMAT_VERSION, type Output } from './output.ts'
import { type PlanOptions, plan } from './plan.ts'
import { showQuota } from './quota.ts'
import { serve } from './serve.ts'
import { showCommand } from './show-command.ts'
import { status } from './status.ts'
import { storeHint } from './store-hint.ts'
import { issuesText, validate } from './validate.ts'

interface Common {
  readonly json?: true
  readonly verbose?: true
  readonly state?: string
}

function atLeastOne(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is to be a whole number, 1 or more.')
  return Number(text)
}

function endpoint(text: string): string {
  const fault = endpointFault(text)
  if (fault !== undefined) throw new InvalidArgumentError(`${fault}.`)
  return text
}

const BOOT_GRACE_MS = 500

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value]
}

/** Naming a host is asking for its flows. */
function planFlows({ flows, host }: { readonly flows?: true; readonly host: readonly string[] }): Pick<PlanOptions, 'flows'> {
  if (host.length > 0) return { flows: { hosts: [...new Set(host)] } }
  return flows === true ? { flows: {} } : {}
}

function collectAllow(value: string, before: readonly string[]): string[] {
  const [first] = parseAllow([value]).issues
  if (first !== undefined) throw new InvalidArgumentError([first.message, first.hint].join('; '))
  return [...before, value]
}

/** Called inside of `run`: a folder that is none is a failure of the command. */
function stateOf(dir: string, options: Common): string {
  if (dir === '') throw new CommandError('DIR is empty', { hint: 'name the folder that holds netloom.yaml; . is the one you are in' })
  if (options.state === undefined) checkRoot(resolve(dir))
  return options.state ?? defaultStateFile(dir)
}

function createProgram(): Command {
  const program = new Command('netloom')
    .description(
      'Declarative networking for Open vSwitch: YAML in git, a plan before anything moves, hosts that converge and tell the truth.',
    )
    .version(VERSION)
    .enablePositionalOptions()
    .showHelpAfterError('(netloom --help lists the commands)')
    .configureOutput({ outputError: tellUsage })
  const command = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('--json', 'one JSON document on stdout')
      .option('--state <file>', 'state file (default: DIR/.netloom/state.db)')

  program
    .command('init')
    .description('write a small repository to start from')
    .argument('[dir]', 'an empty directory', '.')
    .option('--json', 'one JSON document on stdout')
    .action((dir: string, options: Common) => run(options, (out) => init(dir, out)))
  command('validate', 'every mistake in the repository, with its place')
    .argument('[dir]', 'the repository', '.')
    .action((dir: string, options: Common) => run(options, (out) => validate(dir, out)))
  command('plan', 'what would change, before anything does')
    .argument('[dir]', 'the repository', '.')
    .option('--verbose', 'everything: nothing grouped, nothing shortened')
    .option('--detailed-exitcode', 'exit 2 when there are changes')
    .option('--flows', 'every row and flow that it adds (+), alters (~) and removes (-) on each host')
    .option('--host <host>', 'the same on this host only; may be given more than once', collect, [])
    .action((dir: string, options: Common & { detailedExitcode?: true; flows?: true; host: string[] }) =>
      run(options, (out) =>
        plan(dir, { ...planFlows(options), stateFile: stateOf(dir, options), detailedExitcode: options.detailedExitcode === true }, out),
      ),
    )
  command('apply', 'commit and publish what the repository says, or exactly a stored plan')
    .argument('[plan]', 'a plan id (p-…) printed by netloom plan')
    .option('--dir <dir>', 'the repository', '.')
    .option('--allow <guard=n>', 'let a guard pass; the number must match the plan', collectAllow, [])
    .option('--verbose', 'everything: nothing grouped, nothing shortened')
    .option('--reason <text>', 'recorded with the revision')
    .action((id: string | undefined, options: Common & { dir: string; allow: string[]; reason?: string }) =>
      run(options, (out) =>
        apply(
          {
            ...options,
            stateFile: stateOf(options.dir, options),
            ...(id === undefined ? {} : { plan: id }),
          },
          out,
        ),
      ),
    )
  command('serve', 'watch the repository, apply what it says, publish to agents')
    .argument('[dir]', 'the repository', '.')
    .option('--manual', 'apply nothing until `netloom apply`')
    .option('--pub <endpoint>', 'where updates are published (default: from netloom.yaml)', endpoint)
    .option('--rpc <endpoint>', 'where agents say hello and pull', endpoint)
    .option('--reports <endpoint>', 'where agents report', endpoint)
    .option('--keys <file>', 'the server’s key (default: server.key beside the state file, when it is there)')
    .option('--host-keys <file>', 'public keys beside those in the repository, as lines HOST KEY: for labs')
    .option('--insecure-lab', 'bind addresses that other machines reach, without keys')
    .option('--fresh', 'there is nothing to take over: addresses that agents hold from a lost state file may be renumbered')
    .addOption(new Option('--heartbeat <ms>', 'between heartbeats').default(5000).argParser(atLeastOne))
    .action((dir: string, options: Common & Parameters<typeof serve>[1]) =>
      run(options, (out) => serve(dir, { ...options, stateFile: stateOf(dir, options) }, out)),
    )
  command('status', 'hosts and objects: in step? healthy? why not?')
    .argument('[dir]', 'the repository', '.')
    .option('--verbose', 'every object, nothing shortened')
    .action((dir: string, options: Common) => run(options, (out) => status(dir, stateOf(dir, options), out)))
  command('drift', 'ask every host to compare its switch with its target; writes nothing')
    .argument('[dir]', 'the repository', '.')
    .option('--detailed-exitcode', 'exit 2 when something drifted')
    .action((dir: string, options: Common & { detailedExitcode?: true }) =>
      run(options, (out) => drift(stateOf(dir, options), options.detailedExitcode === true, out)),
    )
  addQuestions(program, command)
  keysCommand(program.command('keys'), run, stateOf)
  program.addCommand(labCommand(run))
  program
    .command('demo')
    .description('the whole main job on real Open vSwitch in network namespaces, taken down again at the end')
    .option('--keep', 'leave the lab standing')
    .action((options: { keep?: true }) => run({}, (out) => demo({ keep: options.keep === true }, out)))
  return program
}

/** What there is, was, and can be written. */
function addQuestions(program: Command, command: (name: string, description: string) => Command): void {
  command('availability', 'addresses of every subnet: how many there are, and how many are left')
    .argument('[dir]', 'the repository', '.')
    .action((dir: string, options: Common) => run(options, (out) => showAvailability(dir, stateOf(dir, options), out)))
  program
    .command('kinds')
    .description('what can be written: kinds, attributes, defaults; with the repository’s plugins')
    .argument('[kind]', 'one kind with all its attributes: port, networks, …')
    .option('--dir <dir>', 'the repository', '.')
    .option('--json', 'one JSON document on stdout')
    .action((kind: string | undefined, options: Common & { dir: string }) => run(options, (out) => kinds(options.dir, kind, out)))
  program
    .command('plugins')
    .description('plugins that run with the repository, why, and what each brings')
    .argument('[dir]', 'the repository', '.')
    .option('--json', 'one JSON document on stdout')
    .action((dir: string, options: Common) => run(options, (out) => plugins(dir, out)))
  showCommand(
    command('show', 'resources as they are applied, or as they were: defaults, addresses, when they were made and changed'),
    run,
    stateOf,
  )
  command('quota', 'limits of projects, and what is used of them')
    .argument('[project]', 'one project (default: all)')
    .option('--dir <dir>', 'the repository', '.')
    .action((project: string | undefined, options: Common & { dir: string }) =>
      run(options, (out) => {
        const where = { dir: options.dir, stateFile: stateOf(options.dir, options) }
        return showQuota({ ...where, ...(project === undefined ? {} : { project }) }, out)
      }),
    )
  command('logs', 'connections that security groups let pass and packets that they do not, as far as logs ask for it')
    .argument('[name]', 'a port or a security group: NAME or PROJECT/NAME (default: all)')
    .option('--dir <dir>', 'the repository', '.')
    .option('-n, --limit <n>', 'how many of the last', atLeastOne, 50)
    .option('--follow', 'go on with what comes, until interrupted; with --json one document a line')
    .action((name: string | undefined, options: Common & { dir: string; limit: number; follow?: true }) =>
      run(options, (out) =>
        logs(
          {
            stateFile: stateOf(options.dir, options),
            limit: options.limit,
            follow: options.follow === true,
            ...(name === undefined ? {} : { of: name }),
          },
          out,
        ),
      ),
    )
  command('history', 'revisions, newest first')
    .argument('[dir]', 'the repository', '.')
    .option('--verbose', 'everything: nothing grouped, nothing shortened')
    .option('-n, --limit <n>', 'how many', atLeastOne, 20)
    .action((dir: string, options: Common & { limit: number }) => run(options, (out) => history(stateOf(dir, options), options.limit, out)))
}

/** A command line that is none is said before any command runs, and with `--json` as JSON too. */
function tellUsage(text: string, write: (text: string) => void): void {
  if (process.argv.includes('--json')) {
    const message = text.trim().replace(/^error: /, '')
    process.stdout.write(`${JSON.stringify({ format_version: FORMAT_VERSION, errored: true, message })}\n`)
  } else {
    write(text)
  }
}

/** Runs one command: its exit code is the process's; a failure is one line (and a hint), never a stack trace. */
async function run(options: Pick<Common, 'json' | 'verbose'>, work: (output: Output) => Promise<ExitCode>): Promise<void> {
  const output = createOutput({
    json: options.json === true,
    verbose: options.verbose === true,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
  })
  try {
    process.exitCode = await work(output)
  } catch (error) {
    process.exitCode = error instanceof CommandError ? error.exit : EXIT.error
    if (error instanceof BootError) return tellBoot(error, output)
    const message = error instanceof Error ? error.message : String(error)
    const hint = error instanceof CommandError ? error.hint : storeHint(error)
    if (output.json) output.result({ errored: true, message, ...(hint === undefined ? {} : { hint }) }, () => message)
    else process.stderr.write(`netloom: ${message}\n${hint === undefined ? '' : `  fix: ${hint}\n`}`)
    if (process.env['NETLOOM_DEBUG'] !== undefined && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  }
}

/** Plugins that do not fit together are mistakes in the site file, shown as such. */
function tellBoot({ dir, issues }: BootError, output: Output): void {
  output.result({ errored: true, issues: issues.map(issueJson) }, () => issuesText(dir, issues, output))
  // A module that was loaded may hold timers and sockets: they must not keep a command that is over.
  setTimeout(() => process.exit(), BOOT_GRACE_MS).unref()
}

await createProgram().parseAsync(process.argv)
