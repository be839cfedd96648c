import { createHash, randomFillSync } from 'node:crypto'

/** Random, so that no box on the way can compress, cache or guess it. */
export function randomPayload(bytes: number): Buffer {
  return randomFillSync(Buffer.allocUnsafe(bytes))
}

export function sha256(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest()
}

export const SHA256_BYTES = 32
