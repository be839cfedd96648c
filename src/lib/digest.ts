import { createHash } from 'node:crypto'
import { canonicalJson } from './json.ts'

/** First 16 bytes of SHA-256 over `key NUL canonical-JSON(value)`, as 32 hex digits. */
export function entryDigest(key: string, value: unknown): string {
  return createHash('sha256').update(key).update('\0').update(canonicalJson(value)).digest('hex').slice(0, 32)
}

/** XOR of two 32-digit hex digests: adds an entry to a set's digest, or takes it out again. */
export function xorDigest(a: string, b: string): string {
  let out = ''
  for (let i = 0; i < 32; i += 8) {
    const x = Number.parseInt(a.slice(i, i + 8), 16) ^ Number.parseInt(b.slice(i, i + 8), 16)
    out += (x >>> 0).toString(16).padStart(8, '0')
  }
  return out
}

/** The digest of a whole set of entries; order does not count. */
export function setDigest(entries: Iterable<readonly [string, unknown]>): string {
  let out = '0'.repeat(32)
  for (const [key, value] of entries) out = xorDigest(out, entryDigest(key, value))
  return out
}

/** A 48-bit number from text (SHA-256, first 6 bytes), safe as a JavaScript number: where probing starts, what a cookie carries. */
export function hash48(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6)
}
