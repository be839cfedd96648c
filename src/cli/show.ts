import { resolve } from 'node:path'
import { flatSpec } from '../kinds/extension.ts'
import { didYouMean } from '../lib/suggest.ts'
import { tableLines, visible } from '../lib/text-table.ts'
import { DEFAULT_PROJECT, displayKey, type Key, keyParts, makeKey } from '../model/key.ts'
import type { Directory } from '../plugins/directory.ts'
import { boot } from '../server/boot.ts'
import { PastError, revisionNamed } from '../server/past.ts'
import { formatPlace } from '../server/render/change.ts'
import { renderResource, revisionText, type ShownResource } from '../server/render/resource.ts'
import { openStore } from '../server/store/open.ts'
import type { ResourceRow, RevisionInfo, Store } from '../server/store/types.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { type Output, styleOf } from './output.ts'

export interface ShowOptions {
  readonly dir: string
  readonly stateFile: string
  readonly kind: string
  /** `name`, or `project/name`; absent: all of the kind. */
  readonly name?: string
  /** A revision or commit; absent: now. */
  readonly at?: string
}

type Kind = Directory['kinds'][number]

/** What resources are looked up in. */
interface Look {
  readonly store: Store
  readonly directory: Directory
  readonly revision: RevisionInfo
}

/**
 * `netloom show KIND [NAME] [--at REVISION|COMMIT]`: a resource, or all of a kind, with every default and address, and what plugins compute of it, as it is applied or as it was. Reads the
 * state file; needs no server.
 */
export async function show(options: ShowOptions, output: Output): Promise<ExitCode> {
  const directory = await boot(resolve(options.dir), { from: 'worktree' })
  const kind = kindOf(directory, options.kind)
  const key = options.name === undefined ? undefined : keyOf(kind, options.name)
  const store = await openStore(options.stateFile, { access: 'read' })
  try {
    const revision = await revisionFor(store, options)
    const look = { store, directory, revision }
    if (key === undefined) await showAll(look, kind, options, output)
    else await showOne(look, key, options, output)
    return EXIT.clean
  } finally {
    await store.close()
  }
}

async function showOne(look: Look, key: Key, { at }: ShowOptions, output: Output): Promise<void> {
  const { store, revision } = look
  const row = await store.rowAt(key, revision.revision)
  if (row === undefined) throw await notThere(look, key, at)
  const shown = await shownOf(look, row)
  const { attributes, place } = shown
  const changed = await changeOf(look, key)
  output.result({ key, place: place ?? null, revision: revision.revision, changed: changed ?? null, attributes }, () =>
    [
      ...(at === undefined ? [] : [`As it was in ${revisionText(revision, Date.now())}`]),
      `${renderResource(shown, styleOf(output))}${changed === undefined ? '' : `last changed in ${revisionText(changed, Date.now())}`}`,
    ].join('\n'),
  )
}

async function showAll(look: Look, { kind, collection }: Kind, { at }: ShowOptions, output: Output): Promise<void> {
  const { store, revision } = look
  const rows: ResourceRow[] = []
  for await (const page of store.resources(revision.revision)) rows.push(...page.filter((row) => row.resource.kind === kind))
  const shown: ShownResource[] = []
  for (const row of rows) shown.push(await shownOf(look, row))
  const list = shown.map(({ key, place, attributes }) => ({ key, place: place ?? null, attributes }))
  output.result({ revision: revision.revision, resources: list }, () => {
    const head = at === undefined ? [] : [`As they were in ${revisionText(revision, Date.now())}`]
    if (shown.length === 0) return [...head, `there are no ${collection}`].join('\n')
    if (output.verbose) return [...head, ...shown.map((one) => renderResource(one, styleOf(output)))].join('\n')
    const cells = shown.map(({ key, place, attributes }) => {
      const { project, name } = keyParts(key)
      return [
        visible(project === '' ? name : `${project}/${name}`),
        String(attributes['id']),
        place === undefined ? '' : formatPlace(place),
      ]
    })
    return [...head, ...tableLines([{ title: 'NAME' }, { title: 'ID' }, { title: 'WRITTEN IN' }], cells)].join('\n')
  })
}

async function revisionFor(store: Store, { at, dir }: ShowOptions): Promise<RevisionInfo> {
  if (at !== undefined) {
    return await revisionNamed(store, resolve(dir), at).catch((error: unknown) => {
      throw error instanceof PastError ? new CommandError(error.message, { hint: error.hint }) : error
    })
  }
  const current = await store.currentRevision()
  if (current === undefined)
    throw new CommandError('there is no revision yet', { hint: 'what is written and not yet applied is shown by netloom plan' })
  return current
}

function kindOf({ kinds }: Directory, word: string): Kind {
  const kind = kinds.find((k) => k.kind === word || k.collection === word)
  if (kind !== undefined) return kind
  const names = kinds.map((k) => k.kind)
  const near = didYouMean(word, names)
  throw new CommandError(`there is no kind ${word}`, {
    hint: near === undefined ? `kinds are ${names.sort().join(', ')}` : `did you mean ${near}?`,
  })
}

function keyOf(kind: Kind, name: string): Key {
  const [first = '', second, ...rest] = name.split('/')
  const inProject = kind.scope === 'project'
  if (first === '' || second === '' || rest.length > 0 || (second !== undefined && !inProject))
    throw new CommandError(`${name} is not the name of a ${kind.kind}`, { hint: inProject ? 'write NAME or PROJECT/NAME' : 'write NAME' })
  if (!inProject) return makeKey(kind.kind, '', first)
  return second === undefined ? makeKey(kind.kind, DEFAULT_PROJECT, first) : makeKey(kind.kind, first, second)
}

async function shownOf({ store, directory, revision }: Look, { resource, place }: ResourceRow): Promise<ShownResource> {
  const life = directory.computed.length === 0 ? [] : await store.lifeOf(resource.key, revision.revision)
  const computed = Object.assign({}, ...directory.computed.map((c) => c.of(life)))
  const attributes = { id: resource.id, ...flatSpec(resource.spec), ...computed }
  return { key: resource.key, attributes, ...(place === undefined ? {} : { place }) }
}

/** The revision that last changed the resource, as of the one that is looked at. */
async function changeOf({ store, revision }: Look, key: Key): Promise<RevisionInfo | undefined> {
  const last = (await store.lifeOf(key, revision.revision)).at(-1)
  return last === undefined ? undefined : await store.revision(last.revision)
}

async function notThere(look: Look, key: Key, at: string | undefined): Promise<CommandError> {
  const near = await nearest(look, key)
  const other =
    at === undefined
      ? 'what is written and not yet applied is shown by netloom plan'
      : 'it was not there then; without --at it is looked for now'
  return new CommandError(`there is no ${displayKey(key)} in revision ${look.revision.revision}`, {
    hint: near === undefined ? other : `did you mean ${displayKey(near)}?`,
  })
}

/** The same name in another project, or a name like it. */
async function nearest({ store, revision }: Look, key: Key): Promise<Key | undefined> {
  const { kind, name } = keyParts(key)
  const keys: Key[] = []
  for await (const page of store.declared(revision.revision))
    for (const declared of page) if (declared.kind === kind) keys.push(declared.key)
  const like = didYouMean(
    name,
    keys.map((k) => keyParts(k).name),
  )
  return keys.find((k) => keyParts(k).name === name) ?? keys.find((k) => keyParts(k).name === like)
}
