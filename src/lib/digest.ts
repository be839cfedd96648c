import { hash } from 'node:crypto'
import { canonicalJson } from './json.ts'

/** 128 bits as four unsigned 32-bit words: what sums of digests are counted in. */
export type Words = [number, number, number, number]

/** First 16 bytes of SHA-256 over `key NUL canonical-JSON(value)`. */
export function entryWords(key: string, value: unknown): Words {
  // One character a byte: read at half the cost of hex digits.
  const bytes = hash('sha256', `${key}\0${canonicalJson(value)}`, 'binary')
  return [wordAt(bytes, 0), wordAt(bytes, 4), wordAt(bytes, 8), wordAt(bytes, 12)]
}

function wordAt(bytes: string, at: number): number {
  const [a, b, c, d] = [bytes.charCodeAt(at), bytes.charCodeAt(at + 1), bytes.charCodeAt(at + 2), bytes.charCodeAt(at + 3)]
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}

/** XOR in place: adds an entry to a set's digest, or takes it out again. */
export function xorWords(sum: Words, words: Readonly<Words>): void {
  sum[0] = (sum[0] ^ words[0]) >>> 0
  sum[1] = (sum[1] ^ words[1]) >>> 0
  sum[2] = (sum[2] ^ words[2]) >>> 0
  sum[3] = (sum[3] ^ words[3]) >>> 0
}

/** 32 hex digits. */
export function formatWords(words: Readonly<Words>): string {
  return words.map((w) => w.toString(16).padStart(8, '0')).join('')
}

/** Reads what `formatWords` wrote. */
export function parseWords(hex: string): Words {
  const word = (at: number): number => Number.parseInt(hex.slice(at, at + 8), 16)
  return [word(0), word(8), word(16), word(24)]
}

/** First 16 bytes of SHA-256 over `key NUL canonical-JSON(value)`, as 32 hex digits. */
export function entryDigest(key: string, value: unknown): string {
  return formatWords(entryWords(key, value))
}

/** XOR of two 32-digit hex digests. */
export function xorDigest(a: string, b: string): string {
  const sum = parseWords(a)
  xorWords(sum, parseWords(b))
  return formatWords(sum)
}

/** The digest of a whole set of entries; order does not count. */
export function setDigest(entries: Iterable<readonly [string, unknown]>): string {
  const sum: Words = [0, 0, 0, 0]
  for (const [key, value] of entries) xorWords(sum, entryWords(key, value))
  return formatWords(sum)
}

/** A 48-bit number from text (SHA-256, first 6 bytes), safe as a JavaScript number: where probing starts, what a cookie carries. */
export function hash48(text: string): number {
  return Number.parseInt(hash('sha256', text).slice(0, 12), 16)
}
