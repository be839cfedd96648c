const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'
const VALUES: ReadonlyMap<string, number> = new Map([...ALPHABET].map((letter, i) => [letter, i]))
const BASE = 85
const LETTERS = 5
const OCTETS = 4

/** Bytes as text, four as five letters (ZeroMQ's RFC 32). Throws on a length that is no multiple of four. */
export function encodeZ85(bytes: Uint8Array): string {
  if (bytes.byteLength % OCTETS !== 0) throw new Error(`Z85 takes multiples of ${OCTETS} bytes, not ${bytes.byteLength}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let text = ''
  for (let at = 0; at < bytes.byteLength; at += OCTETS) {
    const value = view.getUint32(at)
    for (let power = BASE ** (LETTERS - 1); power >= 1; power /= BASE) text += ALPHABET[Math.floor(value / power) % BASE]
  }
  return text
}

/** Undefined for text that `encodeZ85` cannot have written. */
export function decodeZ85(text: string): Buffer | undefined {
  if (text.length % LETTERS !== 0) return undefined
  const bytes = Buffer.alloc((text.length / LETTERS) * OCTETS)
  for (let group = 0; group * LETTERS < text.length; group++) {
    let value = 0
    for (const letter of text.slice(group * LETTERS, (group + 1) * LETTERS)) value = value * BASE + (VALUES.get(letter) ?? Number.NaN)
    if (!(value < 2 ** 32)) return undefined
    bytes.writeUInt32BE(value, group * OCTETS)
  }
  return bytes
}
