import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { compareText } from '../model/key.ts'
import type { Declared } from '../model/resource.ts'
import { keysOfHosts } from '../server/admission.ts'
import { type HostKeyState, renderKeys } from '../server/render/keys.ts'
import { ensureServerKey, serverKeyPath, writeSecret } from '../server/server-key.ts'
import { openStore } from '../server/store/open.ts'
import { makeKeyPair } from '../wire/keys.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { type Output, styleOf } from './output.ts'
import { askServer } from './status.ts'

interface Options {
  readonly json?: true
  readonly state?: string
}
export type Run = (options: Options, work: (output: Output) => Promise<ExitCode>) => Promise<void>
export type StateOf = (dir: string, options: Options) => string

const HOST_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** `netloom keys …`: who may speak to the server. Keys are made here and allowed in YAML; nothing here changes what is allowed. */
export function keysCommand(keys: Command, run: Run, stateOf: StateOf): Command {
  keys.description('keys of hosts and server: only hosts with a key in the repository are let in')
  const command = (name: string, description: string): Command =>
    keys
      .command(name)
      .description(description)
      .option('--json', 'one JSON document on stdout')
      .option('--state <file>', 'state file, beside which the server’s key is kept (default: DIR/.netloom/state.db)')
  command('new', 'make a host’s key: a file for its agent, and the line for the repository')
    .argument('<host>', 'as it is called under `hosts:`')
    .option('--dir <dir>', 'the repository', '.')
    .option('--out <file>', 'where to write the key file (default: HOST.key beside the state file, where git does not look)')
    .action((host: string, options: Options & { dir: string; out?: string }) =>
      run(options, (out) =>
        newKey(host, options.out ?? join(dirname(stateOf(options.dir, options)), `${host}.key`), stateOf(options.dir, options), out),
      ),
    )
  command('server', 'print the server’s public key; made at the first call')
    .argument('[dir]', 'the repository', '.')
    .action((dir: string, options: Options) => run(options, (out) => serverKey(stateOf(dir, options), out)))
  command('list', 'hosts of the current revision: which have a key, when they were heard, what was refused')
    .argument('[dir]', 'the repository', '.')
    .action((dir: string, options: Options) => run(options, (out) => listKeys(stateOf(dir, options), out)))
  return keys
}

function newKey(host: string, file: string, stateFile: string, output: Output): Promise<ExitCode> {
  if (!HOST_NAME.test(host)) throw new CommandError(`${JSON.stringify(host)} is no host name`, { hint: 'letters, digits, dots and dashes' })
  if (existsSync(file))
    throw new CommandError(`${file} exists; nothing was written`, { hint: 'remove it, or name another file with --out' })
  const server = ensureServerKey(serverKeyPath(stateFile))
  const pair = makeKeyPair(randomBytes)
  writeSecret(file, { host, public_key: pair.publicKey, secret_key: pair.secretKey, server_key: server.pair.publicKey })
  const line = `public_key: '${pair.publicKey}'`
  const data = {
    host,
    file: resolve(file),
    public_key: pair.publicKey,
    server_key: server.pair.publicKey,
    yaml: line,
    server_key_made: server.made,
  }
  output.result(data, () =>
    [
      `Wrote ${file} (secret, mode 0600): move it to ${host} and start its agent with --keys ${basename(file)}.`,
      ...(server.made
        ? [`Made the server's key ${serverKeyPath(stateFile)}: from its next start, \`netloom serve\` lets in hosts with a key only.`]
        : []),
      `Add this line to host ${host} in the repository, and apply; removing it again expels the host:`,
      '',
      `    ${line}`,
    ].join('\n'),
  )
  return Promise.resolve(EXIT.clean)
}

function serverKey(stateFile: string, output: Output): Promise<ExitCode> {
  const file = serverKeyPath(stateFile)
  const { pair, made } = ensureServerKey(file)
  output.result({ public_key: pair.publicKey, file: resolve(file), made }, () => pair.publicKey)
  if (made) output.say(`made ${file} (secret, mode 0600); agents get the public part with their key file`)
  return Promise.resolve(EXIT.clean)
}

async function listKeys(stateFile: string, output: Output): Promise<ExitCode> {
  const answer = await askServer(stateFile)
  const store = await openStore(stateFile, { access: 'read' })
  try {
    const declared: Declared[] = []
    for await (const page of store.declared()) declared.push(...page.filter((d) => d.kind === 'host'))
    const own = keysOfHosts(declared)
    const allowed = answer?.keys === undefined ? own : new Map(answer.keys)
    const seen = new Map((answer?.fleet.agents ?? (await store.agents())).map((a) => [a.host, a.lastSeen]))
    const refused = answer?.refused ?? []
    const names = [...own.keys()]
    const hosts = names.sort(compareText).map((host): HostKeyState => {
      const key = allowed.get(host)
      const last = seen.get(host)
      return {
        host,
        key: key === undefined ? 'none' : 'yes',
        ...(key === undefined ? {} : { public_key: key }),
        ...(last === undefined ? {} : { last_seen: last }),
        refused: refused.filter((r) => r.host === host).reduce((n, r) => n + r.count, 0),
      }
    })
    const strangers = refused.filter((r) => !names.includes(r.host)).reduce((n, r) => n + r.count, 0)
    const revision = (await store.currentRevision())?.revision ?? 0
    output.result({ revision, hosts, refused }, () => renderKeys(hosts, strangers, Date.now(), styleOf(output)))
    return EXIT.clean
  } finally {
    await store.close()
  }
}
