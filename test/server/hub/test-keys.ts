import { randomBytes } from 'node:crypto'
import type { HostKeys } from '../../../agentd/northbound/identity.ts'
import type { Security } from '../../../src/server/hub/security.ts'
import { type KeyPair, makeKeyPair } from '../../../src/wire/keys.ts'

/** A server's key, and one for each host that is asked for. */
export interface TestKeys {
  readonly server: KeyPair
  readonly security: Security
  of(host: string): HostKeys
  /** The allow-list with these hosts. */
  list(hosts: Iterable<string>): ReadonlyMap<string, string>
}

export function testKeys(): TestKeys {
  const server = makeKeyPair(randomBytes)
  const pairs = new Map<string, KeyPair>()
  const of = (host: string): HostKeys => {
    const pair = pairs.get(host) ?? makeKeyPair(randomBytes)
    pairs.set(host, pair)
    return { ...pair, serverKey: server.publicKey }
  }
  return { server, security: { mode: 'keys', server }, of, list: (hosts) => new Map([...hosts].map((h) => [h, of(h).publicKey])) }
}
