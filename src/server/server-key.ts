import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isRecord } from '../lib/json.ts'
import { isPair, type KeyPair, keyFault, makeKeyPair } from '../wire/keys.ts'

/** Beside the state file; whoever reads it can pose as the server. */
export function serverKeyPath(stateFile: string): string {
  return join(dirname(stateFile), 'server.key')
}

/** The server's key pair; undefined when there is no such file. Throws a one-line `Error` for one that is damaged or readable by others. */
export function readServerKey(path: string): KeyPair | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  if ((statSync(path).mode & 0o077) !== 0)
    throw new Error(`${path} can be read by others than its owner: chmod 600 ${path}, and make another if somebody may have`)
  const value = parsed(text)
  const pair = { publicKey: String(value['public_key']), secretKey: String(value['secret_key']) }
  if (keyFault(pair.publicKey) !== undefined || keyFault(pair.secretKey) !== undefined || !isPair(pair))
    throw new Error(`${path} is no key file of a server`)
  return pair
}

/** Reads the pair, or makes one. A state folder of our own gets a `.gitignore`, because a secret in git is none. */
export function ensureServerKey(path: string): { readonly pair: KeyPair; readonly made: boolean } {
  const known = readServerKey(path)
  if (known !== undefined) return { pair: known, made: false }
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o750 })
  if (basename(folder) === '.netloom') writeNew(join(folder, '.gitignore'), '*\n', 0o644)
  const pair = makeKeyPair(randomBytes)
  writeSecret(path, { public_key: pair.publicKey, secret_key: pair.secretKey })
  return { pair, made: true }
}

/** Readable by its owner only, and never over another file: an existing one throws EEXIST. */
export function writeSecret(path: string, value: object): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
}

function writeNew(path: string, text: string, mode: number): void {
  try {
    writeFileSync(path, text, { mode, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}
