import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const NETLOOM: string = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs `netloom` as a program of its own, with pipes for its output. */
export async function netloom(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [NETLOOM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: undefined },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (d: Buffer) => (out += d.toString()))
  child.stderr.on('data', (d: Buffer) => (err += d.toString()))
  return await new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, out, err })))
}
