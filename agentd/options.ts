import { Command, InvalidArgumentError, Option } from 'commander'
import { serverFault } from '../src/lib/endpoint.ts'
import { HOST_NAME_RULE, isHostName } from '../src/model/host-name.ts'

/** What `netloom-agentd` was told on its command line. */
export interface AgentOptions {
  readonly host: string
  /** The server's rpc endpoint, `tcp://…` or `ipc://…`; `hello` returns the others. */
  readonly server: string
  /** File of this host's keys, as `netloom keys new` wrote it. */
  readonly keys?: string
  readonly stateDir: string
  readonly rundir: string
  readonly database?: string
  readonly backend: string
  readonly logLevel: string
  /** Of `run`: where what logs ask for is written down. */
  readonly securityLog?: string
  readonly securityLogMb?: number
}

/** The command tree: `run` (the default), the read-only `drift` and `flows`, which need no server, and `responder`, which `run` starts. */
export function agentCommand(handlers: {
  readonly run: (options: AgentOptions) => Promise<void>
  readonly drift: (options: Omit<AgentOptions, 'server'>) => Promise<void>
  readonly flows: (options: Omit<AgentOptions, 'server'>) => Promise<void>
  readonly respond: (options: Pick<AgentOptions, 'backend' | 'rundir' | 'logLevel'>) => Promise<void>
}): Command {
  const program = new Command('netloom-agentd')
    .description("Converges this host's Open vSwitch to its share of the network and reports what is true.")
    .version('0.1.0')
  const shared = (command: Command): Command =>
    command
      .requiredOption('--host <name>', 'this host, as it is called under `hosts:` in the repository', hostName)
      .option('--state-dir <dir>', 'where intents and allocations are kept across restarts', '/var/lib/netloom-agentd')
      .option(...RUNDIR)
      .option('--database <endpoint>', 'OVSDB endpoint, default unix:<rundir>/db.sock')
      .addOption(backendOption())
      .addOption(logLevelOption())
  shared(program.command('run', { isDefault: true }).description('converge and report until stopped (the default)'))
    .requiredOption('--server <endpoint>', "the server's rpc endpoint, e.g. tcp://netloom.example:9611", endpoint)
    .option('--keys <file>', 'this host’s keys, as `netloom keys new HOST` wrote them')
    .option('--security-log <file>', 'where connections that logs ask for are written down (default: <state-dir>/log/security.jsonl)')
    .option('--security-log-mb <n>', 'megabytes after which that file is begun anew; the one before is kept as FILE.1', megabytes, 16)
    .action((options: AgentOptions) => handlers.run(options))
  shared(
    program.command('drift').description('compare Open vSwitch with the last target, write nothing; exit 2 when something differs'),
  ).action((options: AgentOptions) => handlers.drift(options))
  shared(program.command('flows').description('print the rows and flows of the last target')).action((options: AgentOptions) =>
    handlers.flows(options),
  )
  program
    .command('responder')
    .description('answer packets that flows cannot answer (ICMP errors of routers); `run` starts it, and it goes on when that ends')
    .option(...RUNDIR)
    .addOption(backendOption())
    .addOption(logLevelOption())
    .action((options: AgentOptions) => handlers.respond(options))
  return program
}

const RUNDIR = ['--rundir <dir>', "Open vSwitch's run directory (db.sock, br-int.mgmt)", '/var/run/openvswitch'] as const

function backendOption(): Option {
  return new Option('--backend <name>', 'what to converge').choices(['ovs', 'fake']).default('ovs')
}

function logLevelOption(): Option {
  return new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error']).default('info')
}

function hostName(text: string): string {
  if (!isHostName(text)) throw new InvalidArgumentError(`${HOST_NAME_RULE}.`)
  return text
}

function megabytes(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It is to be a whole number, 1 or more.')
  return Number(text)
}

function endpoint(text: string): string {
  const fault = serverFault(text)
  if (fault !== undefined) throw new InvalidArgumentError(`${fault}.`)
  return text
}
