import type { KeyPair, SharedKeys } from '../../wire/keys.ts'
import { sharedKeys } from '../../wire/keys.ts'

/** What the server knows of one host's key. */
export interface HostKey extends SharedKeys {
  readonly host: string
  /** Z85. */
  readonly publicKey: string
}

/** Whom to let in, as data that crosses to the reports thread. */
export interface Keyring {
  readonly hosts: ReadonlyMap<string, HostKey>
  /** Host by a public key that it had earlier in this life of the server: says whose key it was that is refused. */
  readonly former: ReadonlyMap<string, string>
}

export const EMPTY_KEYRING: Keyring = { hosts: new Map(), former: new Map() }

/** The keyring for these hosts (host → public key). What did not change is taken over, so that a revision costs the change. */
export function nextKeyring(before: Keyring, server: KeyPair, publicKeys: ReadonlyMap<string, string>): Keyring {
  const hosts = new Map<string, HostKey>()
  for (const [host, publicKey] of publicKeys) {
    const known = before.hosts.get(host)
    if (known?.publicKey === publicKey) hosts.set(host, known)
    else {
      const shared = sharedKeys(server, publicKey)
      if (shared !== undefined) hosts.set(host, { host, publicKey, ...shared })
    }
  }
  const former = new Map(before.former)
  for (const { host, publicKey } of before.hosts.values()) former.set(publicKey, host)
  for (const { publicKey } of hosts.values()) former.delete(publicKey)
  return { hosts, former }
}

/** Hosts whose key is another one, or gone, or new. */
export function changedHosts(before: Keyring, after: Keyring): readonly string[] {
  const names = new Set([...before.hosts.keys(), ...after.hosts.keys()])
  return [...names].filter((host) => before.hosts.get(host)?.publicKey !== after.hosts.get(host)?.publicKey)
}
