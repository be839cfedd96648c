import { readFileSync, statSync } from 'node:fs'
import { isRecord } from '../src/lib/json.ts'
import { isPair, keyFault } from '../src/wire/keys.ts'
import type { HostKeys } from './northbound/identity.ts'

/** What `netloom keys new HOST` wrote. Throws a one-line `Error` for a file that is not there, not this host's, damaged, or readable by others. */
export function readKeyFile(path: string, host: string): HostKeys {
  const { mode } = statSync(path)
  if ((mode & 0o077) !== 0)
    throw new Error(`${path} can be read by others than its owner: chmod 600 ${path}, or make another key if somebody may have`)
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    throw new Error(`${path} is no key file; \`netloom keys new ${host}\` writes one`)
  }
  const of = (name: string): string => {
    const text = isRecord(value) ? value[name] : undefined
    const fault = typeof text === 'string' ? keyFault(text) : 'is missing'
    if (fault !== undefined) throw new Error(`${path}: ${name} ${fault}`)
    return String(text)
  }
  const keys = { publicKey: of('public_key'), secretKey: of('secret_key'), serverKey: of('server_key') }
  if (!isPair(keys)) throw new Error(`${path}: public_key and secret_key do not belong together`)
  if (isRecord(value) && value['host'] !== host)
    throw new Error(`${path} is the key of host ${String(value['host'])}, and this agent is ${host}`)
  return keys
}
