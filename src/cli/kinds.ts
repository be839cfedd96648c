import { resolve } from 'node:path'
import { didYouMean } from '../lib/suggest.ts'
import { featureEntries, kindEntries, pluginEntries, pluginsOff } from '../plugins/catalogue.ts'
import { boot } from '../server/boot.ts'
import { renderKind, renderKinds, renderPlugins } from '../server/render/catalogue.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { type Output, styleOf } from './output.ts'

/** `netloom kinds [KIND]`: what can be written, with this repository's plugins. Needs neither server nor state file. */
export async function kinds(dir: string, name: string | undefined, output: Output): Promise<ExitCode> {
  const directory = await boot(resolve(dir), { from: 'worktree' })
  const entries = kindEntries(directory)
  if (name === undefined) {
    const features = featureEntries(directory)
    const { off } = directory
    output.result({ kinds: entries, features, off }, () => renderKinds(entries, features, off, styleOf(output)))
    return EXIT.clean
  }
  const found = entries.find((k) => k.kind === name || (k.collection !== '' && k.collection === name))
  if (found === undefined) {
    const known = entries.map((k) => k.kind)
    const near = didYouMean(name, [...known, ...entries.map((k) => k.collection)])
    throw new CommandError(`there is no kind ${name}`, {
      hint: near === undefined ? `kinds are ${known.join(', ')}` : `did you mean ${near}?`,
    })
  }
  output.result({ kind: found }, () => renderKind(found, styleOf(output)))
  return EXIT.clean
}

/** `netloom plugins [DIR]`: what runs with this repository's site file, why, and what each brings. */
export async function plugins(dir: string, output: Output): Promise<ExitCode> {
  const directory = await boot(resolve(dir), { from: 'worktree' })
  const entries = pluginEntries(directory)
  const off = pluginsOff(directory)
  output.result({ plugins: entries, off, registry: directory.registry }, () => renderPlugins(entries, off, styleOf(output)))
  return EXIT.clean
}
