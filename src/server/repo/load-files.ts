import { setImmediate } from 'node:timers/promises'
import type { LoadedFile } from '../../model/resource.ts'
import type { Loader } from '../load/load.ts'
import type { ParsedFile } from '../load/parsed.ts'
import { fileLocator } from './locate.ts'
import { parseFile } from './parse.ts'

/** What earlier readings made of files, by the loader's hash. The store implements it; a miss is always right. */
export interface FileCache {
  get(hashes: readonly string[]): Promise<ReadonlyMap<string, LoadedFile>>
  put(files: readonly LoadedFile[]): Promise<void>
}

export interface RawFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** Parses many files, in whatever order, elsewhere or here. */
export type ParseMany = (files: readonly RawFile[]) => AsyncIterable<{ readonly file: RawFile; readonly parsed: ParsedFile }>

export interface ReadContext {
  readonly loader: Loader
  readonly cache?: FileCache
  /** Worker threads for big sets; left out: everything is parsed here, in slices. */
  readonly parseMany?: ParseMany
}

export interface Loaded {
  readonly byPath: ReadonlyMap<string, LoadedFile>
  /** The ones that the cache did not have. */
  readonly fresh: readonly LoadedFile[]
}

/** Bytes to loaded files: from the cache where it knows them, else parsed. Gives the event loop its turn while it works. */
export async function loadFiles(context: ReadContext, raw: readonly RawFile[]): Promise<Loaded> {
  const hashes = new Map(raw.map((file) => [file, context.loader.hash(file.path, file.bytes)]))
  const known =
    raw.length === 0 ? new Map<string, LoadedFile>() : ((await context.cache?.get([...hashes.values()])) ?? new Map<string, LoadedFile>())
  const byPath = new Map<string, LoadedFile>()
  const missing: RawFile[] = []
  for (const [file, hash] of hashes) {
    const found = known.get(hash)
    if (found === undefined) missing.push(file)
    else byPath.set(file.path, found)
  }
  const fresh: LoadedFile[] = []
  for await (const { file, parsed } of (context.parseMany ?? parseHere)(missing)) {
    const hash = hashes.get(file) ?? context.loader.hash(file.path, file.bytes)
    const loaded = context.loader.load(parsed, hash, fileLocator(file.path, file.bytes).inDocument)
    byPath.set(file.path, loaded)
    fresh.push(loaded)
  }
  return { byPath, fresh }
}

/** Longest time that a long run of small work keeps the event loop. */
const SLICE_MS = 20

/** Awaited between two pieces of work, it gives the event loop its turn whenever a slice of time is used up. */
export function turns(): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (performance.now() - since < SLICE_MS) return undefined
    return setImmediate().then(() => {
      since = performance.now()
    })
  }
}

/** Parses one after the other, with turns for the event loop; files for which `parse` has no answer are left out. */
export async function* parseHere(
  files: readonly RawFile[],
  parse: (file: RawFile) => ParsedFile | undefined = (file) => parseFile(file.path, file.bytes),
): AsyncGenerator<{ readonly file: RawFile; readonly parsed: ParsedFile }> {
  const turn = turns()
  for (const file of files) {
    const parsed = parse(file)
    if (parsed !== undefined) yield { file, parsed }
    await turn()
  }
}
