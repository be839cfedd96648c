import type { Command } from 'commander'
import { CommandError, type ExitCode } from './exit.ts'
import type { Run, StateOf } from './keys.ts'
import type { Output } from './output.ts'
import { show } from './show.ts'
import { showCookie } from './show-cookie.ts'

interface Options {
  readonly json?: true
  readonly verbose?: true
  readonly state?: string
  readonly dir?: string
  readonly at?: string
  readonly cookie?: string
}

/** What `netloom show` is told: which resource, at which moment, or which cookie. */
interface Asked extends Options {
  readonly kind: string | undefined
  readonly name: string | undefined
  readonly dir: string
}

export function showCommand(command: Command, run: Run, stateOf: StateOf): Command {
  return command
    .argument('[kind]', 'port, network, …')
    .argument('[name]', 'NAME or PROJECT/NAME (default: all of the kind)')
    .argument('[dir]', 'the repository')
    .option('--dir <dir>', 'the repository, where no name is given (default: .)')
    .option('--at <revision>', 'as it was at a revision (12), or at a commit (HEAD~3, a hash, a tag)')
    .option('--cookie <cookie>', 'the resource that a flow of ovs-ofctl dump-flows is for: 0x4e4c…')
    .option('--verbose', 'empty attributes too; of all of a kind every attribute')
    .action((kind: string | undefined, name: string | undefined, dir: string | undefined, options: Options) =>
      run(options, (out) => answer({ ...options, kind, name, dir: dir ?? options.dir ?? '.' }, stateOf, out)),
    )
}

async function answer({ kind, name, dir, at, cookie, ...common }: Asked, stateOf: StateOf, out: Output): Promise<ExitCode> {
  const stateFile = stateOf(dir, common)
  if (cookie !== undefined) {
    if (kind !== undefined || at !== undefined)
      throw new CommandError('--cookie is asked for alone', { hint: 'netloom show --cookie 0x4e4c… --dir DIR' })
    return await showCookie(stateFile, cookie, out)
  }
  if (kind === undefined)
    throw new CommandError('nothing is asked for', { hint: 'netloom show KIND [NAME], or netloom show --cookie 0x4e4c…' })
  return await show({ dir, stateFile, kind, ...(name === undefined ? {} : { name }), ...(at === undefined ? {} : { at }) }, out)
}
