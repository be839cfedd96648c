import { resolve } from 'node:path'
import { flatSpec } from '../kinds/extension.ts'
import { didYouMean } from '../lib/suggest.ts'
import { DEFAULT_PROJECT, displayKey, type Key, keyParts, makeKey } from '../model/key.ts'
import type { Directory } from '../plugins/directory.ts'
import { boot } from '../server/boot.ts'
import { renderResource, type ShownResource } from '../server/render/resource.ts'
import { openStore } from '../server/store/open.ts'
import type { Store } from '../server/store/types.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { type Output, styleOf } from './output.ts'

export interface ShowOptions {
  readonly dir: string
  readonly stateFile: string
  readonly kind: string
  /** `name`, or `project/name`. */
  readonly name: string
}

/** `netloom show KIND NAME`: a resource of the current revision with every default and address, and what plugins compute of it. Reads the state file; needs no server. */
export async function show(options: ShowOptions, output: Output): Promise<ExitCode> {
  const directory = await boot(resolve(options.dir), { from: 'worktree' })
  const key = keyOf(directory, options)
  const store = await openStore(options.stateFile, { access: 'read' })
  try {
    const shown = await find(store, directory, key)
    const { attributes, place } = shown
    output.result({ key, place: place ?? null, attributes }, () => renderResource(shown, styleOf(output)))
    return EXIT.clean
  } finally {
    await store.close()
  }
}

function keyOf({ kinds }: Directory, { kind: word, name }: ShowOptions): Key {
  const kind = kinds.find((k) => k.kind === word || k.collection === word)
  if (kind === undefined) {
    const names = kinds.map((k) => k.kind)
    const near = didYouMean(word, names)
    throw new CommandError(`there is no kind ${word}`, {
      hint: near === undefined ? `kinds are ${names.sort().join(', ')}` : `did you mean ${near}?`,
    })
  }
  const [first = '', second, ...rest] = name.split('/')
  const inProject = kind.scope === 'project'
  if (first === '' || second === '' || rest.length > 0 || (second !== undefined && !inProject))
    throw new CommandError(`${name} is not the name of a ${kind.kind}`, { hint: inProject ? 'write NAME or PROJECT/NAME' : 'write NAME' })
  if (!inProject) return makeKey(kind.kind, '', first)
  return second === undefined ? makeKey(kind.kind, DEFAULT_PROJECT, first) : makeKey(kind.kind, first, second)
}

async function find(store: Store, directory: Directory, key: Key): Promise<ShownResource> {
  const revision = (await store.currentRevision())?.revision ?? 0
  const resource = await store.resourceAt(key, revision)
  if (resource === undefined) {
    const near = await nearest(store, key)
    throw new CommandError(revision === 0 ? 'there is no revision yet' : `there is no ${displayKey(key)} in revision ${revision}`, {
      hint: near === undefined ? 'what is written and not yet applied is shown by netloom plan' : `did you mean ${displayKey(near)}?`,
    })
  }
  const life = await store.lifeOf(key)
  const place = (await store.placesOf([key])).get(key)
  const computed = Object.assign({}, ...directory.computed.map((c) => c.of(life)))
  return { key, attributes: { id: resource.id, ...flatSpec(resource.spec), ...computed }, ...(place === undefined ? {} : { place }) }
}

/** The same name in another project, or a name like it. */
async function nearest(store: Store, key: Key): Promise<Key | undefined> {
  const { kind, name } = keyParts(key)
  const keys: Key[] = []
  for await (const page of store.resources()) for (const row of page) if (row.declared.kind === kind) keys.push(row.declared.key)
  const like = didYouMean(
    name,
    keys.map((k) => keyParts(k).name),
  )
  return keys.find((k) => keyParts(k).name === name) ?? keys.find((k) => keyParts(k).name === like)
}
