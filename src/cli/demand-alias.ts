import type { Directory } from '../plugins/directory.ts'
import { CommandError } from './exit.ts'

/** A command that belongs to an extension alias goes with it. `plugin` is the built-in one that brings it. */
export function demandAlias({ extensions, off }: Directory, alias: string, plugin: string): void {
  if (extensions.some((e) => e.alias === alias)) return
  const given = off.find((o) => o.alias === alias)
  if (given === undefined)
    throw new CommandError(`the plugin ${plugin} is off`, { hint: 'take it out of disabled_plugins in netloom.yaml' })
  const unable = given.by.map((b) => b.plugin).join(', ')
  throw new CommandError(`${alias} is off by overrides in netloom.yaml`, {
    hint: unable === '' ? `it builds on ${given.builds_on.join(', ')}` : `plugin ${unable} cannot keep it`,
  })
}
