import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { isRecord } from '../../src/lib/json.ts'
import type { Scope, ScopeContent } from '../../src/model/scope.ts'
import type { AllocationTable } from '../backends/backend.ts'
import { NorthboundError } from './error.ts'
import { adoptContent, type HeldScope, type HeldScopes } from './held.ts'

/** A complete set as it is kept on disk. */
export interface SavedSet {
  readonly revision: number
  readonly scopes: HeldScopes
}

export interface SavedState {
  /** What this host was last told to be; undefined on a new host, or when nothing on disk could be read. */
  readonly current: SavedSet | undefined
  /** The set before that one. */
  readonly previous: SavedSet | undefined
  readonly allocations: AllocationTable
  /** One line for each file that could not be used, and what was taken instead. */
  readonly notes: readonly string[]
}

/** The agent's memory across restarts. Every write is atomic: a crash leaves the old file or the new one. */
export interface StateFile {
  load(): Promise<SavedState>
  /** The set on disk becomes the previous one. Throws `NorthboundError` (disk). */
  saveSet(set: SavedSet): Promise<void>
  /** Durable when it resolves. Throws `NorthboundError` (disk). */
  saveAllocations(table: AllocationTable): Promise<void>
}

const FORMAT = 1

/** Three files in one directory: `set.json`, `set.previous.json`, `allocations.json` (and its predecessor). */
export function openStateFile(directory: string): StateFile {
  const path = (name: string): string => join(directory, name)
  const texts = new WeakMap<HeldScope, string>()

  async function load(): Promise<SavedState> {
    const notes: string[] = []
    const [current, previous, table, oldTable] = await Promise.all([
      readChecked(path('set.json'), parseSet, notes),
      readChecked(path('set.previous.json'), parseSet, notes),
      readChecked(path('allocations.json'), parseTable, notes),
      readChecked(path('allocations.previous.json'), parseTable, notes),
    ])
    if (current === undefined && previous !== undefined) notes.push(`starting from the set before, revision ${previous.revision}`)
    if (table === undefined && oldTable !== undefined) notes.push('starting from the allocations before the last ones')
    return { current: current ?? previous, previous, allocations: table ?? oldTable ?? {}, notes }
  }

  let tail: Promise<unknown> = Promise.resolve()

  function write(name: string, body: () => string): Promise<void> {
    const turn = tail.then(async () => {
      const text = body()
      await mkdir(directory, { recursive: true, mode: 0o750 })
      await writeAtomically(directory, name, `${checksum(text)}\n${text}`)
    })
    tail = turn.catch(() => undefined)
    return turn.catch((cause: unknown) => {
      throw new NorthboundError('disk', `cannot write ${path(name)}.json: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      })
    })
  }

  return {
    load,
    saveSet: (set) => write('set', () => setText(set, texts)),
    saveAllocations: (table) => write('allocations', () => JSON.stringify({ format: FORMAT, allocations: table })),
  }
}

/** tmp + fsync, old file → `.previous`, tmp → name, fsync of the directory. */
async function writeAtomically(directory: string, name: string, text: string): Promise<void> {
  const target = join(directory, `${name}.json`)
  const temporary = join(directory, `.${name}.tmp`)
  const file = await open(temporary, 'w', 0o640)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(target, join(directory, `${name}.previous.json`)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  await rename(temporary, target)
  const folder = await open(directory, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** First line: checksum of the rest. A file that is cut short, altered or of another format is noted and not used. */
async function readChecked<T>(path: string, parse: (value: unknown) => T | undefined, notes: string[]): Promise<T | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') notes.push(`${path} cannot be read: ${String(error)}`)
    return undefined
  }
  const cut = text.indexOf('\n')
  const body = text.slice(cut + 1)
  const parsed = cut > 0 && checksum(body) === text.slice(0, cut) ? parse(JSON.parse(body)) : undefined
  if (parsed === undefined) notes.push(`${path} is damaged or of another format, and is not used`)
  return parsed
}

function setText(set: SavedSet, texts: WeakMap<HeldScope, string>): string {
  const parts = [...set.scopes].map(([scope, held]) => {
    let text = texts.get(held)
    if (text === undefined) {
      text = JSON.stringify({ scope, version: held.version, intents: Object.fromEntries(held.intents) })
      texts.set(held, text)
    }
    return text
  })
  return `{"format":${FORMAT},"revision":${set.revision},"scopes":[\n${parts.join(',\n')}\n]}`
}

function parseSet(value: unknown): SavedSet | undefined {
  if (!isRecord(value) || value['format'] !== FORMAT || typeof value['revision'] !== 'number' || !Array.isArray(value['scopes']))
    return undefined
  const scopes = new Map<Scope, HeldScope>()
  // The checksum has proved that these are the bytes we wrote; the digest of each scope proves their meaning.
  for (const entry of value['scopes'] as readonly ({ readonly scope: Scope } & ScopeContent)[]) {
    const held = adoptContent(undefined, entry)
    if (held === undefined) return undefined
    scopes.set(entry.scope, held)
  }
  return { revision: value['revision'], scopes }
}

function parseTable(value: unknown): AllocationTable | undefined {
  if (!isRecord(value) || value['format'] !== FORMAT || !isRecord(value['allocations'])) return undefined
  return value['allocations'] as AllocationTable
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
