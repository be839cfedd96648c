import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { JsonObject } from '../model/brand.ts'
import { type Key, makeKey } from '../model/key.ts'
import { keyFault } from '../wire/keys.ts'
import type { Store } from './store/types.ts'

/** Host → public key; undefined: it has none. */
export type HostKeys = ReadonlyMap<string, string | undefined>

/** Keeps the allow-list: which hosts' agents are let in, with which key. */
export interface Admission {
  /**
   * These are the hosts now. One that is gone altogether keeps the key it had: it has left, and is to be told that it holds nothing. One that is still there without a key is expelled.
   */
  settle(hosts: HostKeys): void
  /** Of every host that is let in. */
  current(): ReadonlyMap<string, string>
  close(): void
}

export interface AdmissionOptions {
  /** Hosts that are not in the repository any more, with the key they had. */
  readonly left: HostKeys
  /** A file of keys beside those in the repository, each in place of its host's: of a lab, whose repo is not the lab's to edit. Read again whenever it changed. */
  readonly file?: string
  readonly onKeys: (keys: ReadonlyMap<string, string>) => void
  readonly onBad: (message: string) => void
}

const LOOK_MS = 100

export function openAdmission(options: AdmissionOptions): Admission {
  const { file, onKeys } = options
  let hosts: HostKeys = new Map()
  const left = new Map(options.left)
  let extra = read()

  function read(): ReadonlyMap<string, string> {
    if (file === undefined) return new Map()
    const { keys, bad } = parseHostKeys(readIfThere(file))
    for (const line of bad) options.onBad(`${file}:${line} is no line of the form HOST KEY`)
    return keys
  }

  function current(): ReadonlyMap<string, string> {
    const keys = new Map<string, string>()
    for (const [host, own] of [...left, ...hosts]) {
      const key = extra.get(host) ?? own
      if (key !== undefined) keys.set(host, key)
    }
    return keys
  }

  function look(): void {
    extra = read()
    onKeys(current())
  }

  if (file !== undefined) watchFile(file, { interval: LOOK_MS, persistent: false }, look)
  return {
    settle(next) {
      for (const [host, key] of hosts) if (!next.has(host)) left.set(host, key)
      for (const host of next.keys()) left.delete(host)
      hosts = next
      onKeys(current())
    },
    current,
    close() {
      if (file !== undefined) unwatchFile(file, look)
    },
  }
}

/** Lines `HOST KEY`; `bad`: the numbers of those that are none. */
export function parseHostKeys(text: string): { readonly keys: ReadonlyMap<string, string>; readonly bad: readonly number[] } {
  const keys = new Map<string, string>()
  const bad: number[] = []
  for (const [i, line] of text.split('\n').entries()) {
    const [host = '', key = '', ...rest] = line.trim().split(/\s+/)
    if (host === '') continue
    if (rest.length === 0 && keyFault(key) === undefined) keys.set(host, key)
    else bad.push(i + 1)
  }
  return { keys, bad }
}

/** Of hosts as declared or as resolved. */
export function keysOfHosts(resources: Iterable<{ readonly kind: string; readonly name: string; readonly spec: object }>): HostKeys {
  const keys = new Map<string, string | undefined>()
  for (const { kind, name, spec } of resources) if (kind === 'host') keys.set(name, keyOf(spec))
  return keys
}

/** Hosts that the server remembers and that the repository has no more, with the key of the last revision that had them. */
export async function keysOfLeft(store: Pick<Store, 'lastSpecs'>, remembered: Iterable<string>, present: HostKeys): Promise<HostKeys> {
  const gone = [...remembered].filter((host) => !present.has(host))
  const specs = await store.lastSpecs(gone.map((host): Key => makeKey('host', '', host)))
  return new Map(gone.map((host) => [host, keyOf(specs.get(makeKey('host', '', host)) ?? {})]))
}

function keyOf(spec: object | JsonObject): string | undefined {
  const key: unknown = Reflect.get(spec, 'public_key')
  return typeof key === 'string' && keyFault(key) === undefined ? key : undefined
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
