import { Worker } from 'node:worker_threads'
import type { ParsedFile } from '../load/parsed.ts'
import { type ParseMany, parseHere, type RawFile } from './load-files.ts'
import { parseIfPlain } from './parse.ts'

export interface ParseJob {
  readonly path: string
  readonly bytes: Uint8Array
}

export interface ParseResult {
  /** A `ParsedFile` as JSON. */
  readonly json: string
}

export interface PoolOptions {
  readonly threads?: number
  /** Together smaller sets are parsed where we are: starting a thread costs more than they do. */
  readonly inlineBytes?: number
}

/** Resources that are handed to the YAML library before the set counts as one for threads: some 50 ms of work. */
const HARD_HERE = 500

type Parsed = { readonly file: RawFile; readonly parsed: ParsedFile }

/**
 * Parses what is plain at once and leaves big rests, which need the YAML library, to worker threads, started for the set and ended with it: handing a
 * plain file to a thread and back costs more than reading it. A thread that dies (out of memory on a monstrous file) fails the
 * whole reading with its error.
 */
export function parsePool({ threads = 2, inlineBytes = 200_000 }: PoolOptions = {}): ParseMany {
  return async function* (files) {
    const rest: RawFile[] = []
    let asked = 0
    yield* parseHere(files, (file) => {
      const parsed = parseIfPlain(file.path, file.bytes, () => asked++ < HARD_HERE)
      if (parsed === undefined) rest.push(file)
      return parsed
    })
    const bytes = rest.reduce((sum, file) => sum + file.bytes.length, 0)
    if (bytes < inlineBytes) yield* parseHere(rest)
    else yield* inThreads(rest, Math.min(threads, rest.length))
  }
}

async function* inThreads(files: readonly RawFile[], threads: number): AsyncGenerator<Parsed> {
  const workers = Array.from({ length: threads }, () => new Worker(new URL('./parse-worker.js', import.meta.url)))
  const done: Parsed[] = []
  let failure: unknown
  let notify: () => void = () => {}
  let next = 0
  const give = (worker: Worker) => {
    const file = files[next++]
    if (file === undefined) return
    worker.once('message', ({ json }: ParseResult) => {
      done.push({ file, parsed: JSON.parse(json) as ParsedFile })
      give(worker)
      notify()
    })
    worker.postMessage({ path: file.path, bytes: file.bytes } satisfies ParseJob)
  }
  for (const worker of workers) {
    worker.once('error', (error) => {
      failure = error
      notify()
    })
    give(worker)
  }
  try {
    for (let taken = 0; taken < files.length; ) {
      const ready = done.splice(0)
      taken += ready.length
      yield* ready
      if (failure !== undefined) throw failure
      if (taken < files.length && done.length === 0) {
        await new Promise<void>((resolve) => {
          notify = resolve
          // What came between the look and the waiting would otherwise be slept over.
          if (done.length > 0 || failure !== undefined) resolve()
        })
      }
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}
