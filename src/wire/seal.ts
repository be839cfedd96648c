import { createCipheriv, createDecipheriv } from 'node:crypto'

/*
 * What is published reaches every host that is let in, whatever it subscribes to. So with keys a message is sealed: its header with the key that only its host and the
 * server have, each delta, which many hosts share, with a key of its own that stands in the headers of those who need it.
 */

const CIPHER = 'aes-256-gcm'
const KEY_OCTETS = 32
const NONCE_OCTETS = 12
const TAG_OCTETS = 16

export interface SealedDelta {
  readonly frame: string
  /** For the headers of hosts that need the delta. */
  readonly key: string
}

export interface Sealer {
  /** A header (and the keys of its deltas) that only one host can read. `topic` is part of what is sealed: it cannot be sent to another. */
  header(key: Uint8Array, topic: string, header: string, deltaKeys: readonly string[]): string
  delta(text: string): SealedDelta
}

/** `random` gives that many octets nobody can guess. */
export function createSealer(random: (octets: number) => Uint8Array): Sealer {
  return {
    header: (key, topic, header, deltaKeys) =>
      seal({ key, nonce: random(NONCE_OCTETS), bound: topic }, `${deltaKeys.join(' ')}\n${header}`),
    delta(text) {
      const key = random(KEY_OCTETS)
      return { frame: seal({ key, nonce: random(NONCE_OCTETS), bound: '' }, text), key: Buffer.from(key).toString('base64url') }
    },
  }
}

/** [topic, header, …deltas] as they were before they were sealed; undefined when this key does not open them, or they were altered. */
export function openPublished(key: Uint8Array, frames: readonly Uint8Array[]): readonly Uint8Array[] | undefined {
  const [topic, sealedHeader, ...sealedDeltas] = frames
  if (topic === undefined || sealedHeader === undefined) return undefined
  const opened = open(key, Buffer.from(topic).toString('utf8'), sealedHeader)
  const cut = opened?.indexOf('\n') ?? -1
  if (opened === undefined || cut < 0) return undefined
  const keys = opened.subarray(0, cut).toString('latin1').split(' ')
  const deltas: Uint8Array[] = []
  for (const [i, frame] of sealedDeltas.entries()) {
    const deltaKey = Buffer.from(keys[i] ?? '', 'base64url')
    const delta = deltaKey.byteLength === KEY_OCTETS ? open(deltaKey, '', frame) : undefined
    if (delta === undefined) return undefined
    deltas.push(delta)
  }
  return [topic, opened.subarray(cut + 1), ...deltas]
}

/** Base64 of nonce, ciphertext and tag: text, because ZeroMQ's binding cannot be trusted with buffers of another thread. */
function seal(by: { readonly key: Uint8Array; readonly nonce: Uint8Array; readonly bound: string }, text: string): string {
  const { key, nonce, bound } = by
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_OCTETS }).setAAD(Buffer.from(bound))
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64')
}

function open(key: Uint8Array, bound: string, frame: Uint8Array): Buffer | undefined {
  const bytes = Buffer.from(Buffer.from(frame).toString('latin1'), 'base64')
  if (bytes.byteLength < NONCE_OCTETS + TAG_OCTETS) return undefined
  const end = bytes.byteLength - TAG_OCTETS
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_OCTETS), { authTagLength: TAG_OCTETS })
  decipher.setAAD(Buffer.from(bound)).setAuthTag(bytes.subarray(end))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_OCTETS, end)), decipher.final()])
  } catch {
    return undefined
  }
}
