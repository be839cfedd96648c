import { hash48 } from '../../../../src/lib/digest.ts'
import type { Key } from '../../../../src/model/key.ts'

/** The upper 16 bits of every cookie of ours: `NL`. A flow without them is not ours. */
const PREFIX = 0x4e4cn
const SHIFT = 48n

/** Cookie of a flow that exists for one resource: pinned to its identity, so a revision, a file or a host does not change it. */
export function cookieOf(owner: Key): bigint {
  return cookie(owner)
}

/** Cookie of a set of flows that several resources share (`pipeline`, `learned net/…`). No key starts with `set `, so the two never meet. */
export function cookieOfSet(name: string): bigint {
  return cookie(`set ${name}`)
}

export function isOurs(value: bigint): boolean {
  return value >> SHIFT === PREFIX
}

function cookie(identity: string): bigint {
  return (PREFIX << SHIFT) | BigInt(hash48(identity))
}
