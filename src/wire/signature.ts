import { createHmac, timingSafeEqual } from 'node:crypto'

/** The endpoint that a request is meant for: a signature for one is none for the other. */
export type Door = 'rpc' | 'reports'

/** What the frame in front of a signed request says. */
export interface Signature {
  readonly host: string
  /** Rises with every attempt of a host at one door, re-sent requests included: the server takes each number once, and never a lower one. */
  readonly count: number
  readonly mac: Buffer
}

const FRAME = /^(\S{1,255}) (\d{1,16}) ([A-Za-z0-9_-]{43})$/
/** Octets; a host's name may have four for each of its letters. */
const LONGEST = 1100

/** HMAC-SHA256 (RFC 2104) over door, host, count and payload, as the frame to send before the payload. */
export function signatureFrame(
  key: Uint8Array,
  door: Door,
  attempt: { readonly host: string; readonly count: number },
  payload: Uint8Array,
): string {
  return `${attempt.host} ${attempt.count} ${macOf(key, door, attempt, payload).toString('base64url')}`
}

/** Undefined when the frame is no signature. Proves nothing yet. */
export function readSignature(frame: Uint8Array): Signature | undefined {
  if (frame.byteLength > LONGEST) return undefined
  const match = FRAME.exec(Buffer.from(frame).toString('utf8'))
  if (match === null) return undefined
  const [, host = '', count = '', mac = ''] = match
  return Number.isSafeInteger(Number(count)) ? { host, count: Number(count), mac: Buffer.from(mac, 'base64url') } : undefined
}

/** True when only the holder of `key` can have sent this payload with this signature through this door. */
export function isSignedBy(key: Uint8Array, door: Door, signature: Signature, payload: Uint8Array): boolean {
  return timingSafeEqual(macOf(key, door, signature, payload), signature.mac)
}

function macOf(key: Uint8Array, door: Door, attempt: { readonly host: string; readonly count: number }, payload: Uint8Array): Buffer {
  return createHmac('sha256', key).update(`netloom request\0${door}\0${attempt.host}\0${attempt.count}\0`).update(payload).digest()
}
