import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { HostSpec } from '../kinds/host/spec.ts'
import { keyFault } from '../wire/keys.ts'
import type { World } from './engine/types.ts'

/** Public keys beside those in the repo: of a lab, whose repo is not the lab's to edit. */
export interface ExtraKeys {
  /** Host → public key. */
  current(): ReadonlyMap<string, string>
  close(): void
}

export const NO_EXTRA_KEYS: ExtraKeys = { current: () => new Map(), close: () => undefined }

const LOOK_MS = 100

/** A file with lines `HOST KEY`, read again whenever it changed; one that is not there holds no key. `onBad` is told of lines that are none. */
export function watchExtraKeys(path: string, onChange: () => void, onBad: (message: string) => void): ExtraKeys {
  const read = (): ReadonlyMap<string, string> => {
    const { keys, bad } = parseExtraKeys(readIfThere(path))
    for (const line of bad) onBad(`${path}:${line} is no line of the form HOST KEY`)
    return keys
  }
  let keys = read()
  const look = (): void => {
    keys = read()
    onChange()
  }
  watchFile(path, { interval: LOOK_MS, persistent: false }, look)
  return { current: () => keys, close: () => unwatchFile(path, look) }
}

export function parseExtraKeys(text: string): { readonly keys: ReadonlyMap<string, string>; readonly bad: readonly number[] } {
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

/** The allow-list: hosts of the world with the key that the repo gives them. A host in `extra` has that one instead; a host that is not in the world has none. */
export function hostKeys(world: World, extra: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const keys = new Map<string, string>()
  for (const resource of world.resources.values()) {
    if (resource.kind !== 'host') continue
    const key = extra.get(resource.name) ?? (resource.spec as unknown as HostSpec).public_key
    if (key !== undefined) keys.set(resource.name, key)
  }
  return keys
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
