import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cleanEnvironment, SAFE_GIT } from './run-git.ts'
import type { Snapshot } from './snapshot.ts'

/** Bytes of one file of the repo, for showing a line of it or finding a place in it; undefined when they cannot be had any more. */
export type ReadFile = (path: string) => Uint8Array | undefined

/** Reads the files that a snapshot was made of: from the folder as it is now, or from the commit. Few files are ever asked for, so it is synchronous. */
export function fileReader(dir: string, snapshot: Snapshot): ReadFile {
  return (path) => {
    const blob = snapshot.files.get(path)?.blob
    try {
      if (snapshot.commit === undefined) return readFileSync(join(dir, path))
      if (blob === undefined) return undefined
      return execFileSync('git', [...SAFE_GIT, '-C', dir, 'cat-file', 'blob', blob], {
        env: cleanEnvironment(),
        stdio: ['ignore', 'pipe', 'ignore'],
        maxBuffer: 1 << 28,
        timeout: 10_000,
      })
    } catch {
      return undefined
    }
  }
}
