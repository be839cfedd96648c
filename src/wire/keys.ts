import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto'
import { decodeZ85, encodeZ85 } from '../lib/z85.ts'

/** A Curve25519 key pair, each half 40 letters of Z85: what ZeroMQ's CURVE takes, and what stands in YAML and key files. */
export interface KeyPair {
  readonly publicKey: string
  readonly secretKey: string
}

/**
 * What a host and its server have in common and nobody else can have: both work it out from their own secret and the other's public key (X25519), so it never travels. It proves which
 * host a request is from, which CURVE does not tell the application, and keeps what is published for one host from the others.
 */
export interface SharedKeys {
  readonly sign: Uint8Array
  readonly seal: Uint8Array
}

const KEY_OCTETS = 32
/** What stands before the 32 octets of an X25519 secret in PKCS #8 (RFC 8410). */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex')
/** Raised when anything that is made from the shared keys changes its meaning. */
const PURPOSE = 'netloom wire 1'

/** `random` gives that many octets nobody can guess. */
export function makeKeyPair(random: (octets: number) => Uint8Array): KeyPair {
  const secret = random(KEY_OCTETS)
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_X25519, secret]), format: 'der', type: 'pkcs8' })
  return { publicKey: fromBase64(createPublicKey(key).export({ format: 'jwk' }).x), secretKey: encodeZ85(secret) }
}

/** What is wrong with a public (or secret) key as it was written; undefined when nothing is. */
export function keyFault(text: string): string | undefined {
  if (decodeZ85(text)?.byteLength === KEY_OCTETS) return undefined
  return text.length === 40 ? 'has letters that no key has' : `has ${text.length} letters, a key has 40`
}

/** True when the two halves belong together. Both must be keys. */
export function isPair(pair: KeyPair): boolean {
  return fromBase64(createPublicKey(privateKeyOf(pair)).export({ format: 'jwk' }).x) === pair.publicKey
}

/** Undefined for a public key with which no secret can be agreed on (a few points of the curve have small order). */
export function sharedKeys(own: KeyPair, peer: string): SharedKeys | undefined {
  let secret: Buffer
  try {
    secret = diffieHellman({ privateKey: privateKeyOf(own), publicKey: publicKeyOf(peer) })
  } catch {
    return undefined
  }
  const info = [PURPOSE, ...[own.publicKey, peer].sort()].join('\0')
  const bytes = new Uint8Array(hkdfSync('sha256', secret, '', info, 2 * KEY_OCTETS))
  return { sign: bytes.subarray(0, KEY_OCTETS), seal: bytes.subarray(KEY_OCTETS) }
}

function privateKeyOf(pair: KeyPair): KeyObject {
  return createPrivateKey({
    key: { kty: 'OKP', crv: 'X25519', x: toBase64(pair.publicKey), d: toBase64(pair.secretKey) },
    format: 'jwk',
  })
}

function publicKeyOf(text: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: toBase64(text) }, format: 'jwk' })
}

function toBase64(z85: string): string {
  return (decodeZ85(z85) ?? Buffer.alloc(0)).toString('base64url')
}

function fromBase64(text: string | undefined): string {
  return encodeZ85(Buffer.from(text ?? '', 'base64url'))
}
