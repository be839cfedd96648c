import type { Frames } from './publication.ts'

/**
 * Many multipart messages in one block of memory that is handed to another thread without a copy. Frames that messages share (by identity)
 * are in it once. `spans`: per message, offset and length of each of its frames.
 */
export interface Packed {
  readonly block: ArrayBuffer
  readonly spans: readonly (readonly number[])[]
}

export function packMessages(messages: readonly Frames[]): Packed {
  const offsets = new Map<Uint8Array, number>()
  let size = 0
  for (const frames of messages) {
    for (const frame of frames) {
      if (offsets.has(frame)) continue
      offsets.set(frame, size)
      size += frame.byteLength
    }
  }
  const block = new ArrayBuffer(size)
  const bytes = new Uint8Array(block)
  for (const [frame, offset] of offsets) bytes.set(frame, offset)
  return { block, spans: messages.map((frames) => frames.flatMap((frame) => [offsets.get(frame) ?? 0, frame.byteLength])) }
}

export function* unpackMessages({ block, spans }: Packed): IterableIterator<Uint8Array[]> {
  for (const span of spans) {
    const frames: Uint8Array[] = []
    for (let i = 0; i + 1 < span.length; i += 2) frames.push(new Uint8Array(block, span[i], span[i + 1]))
    yield frames
  }
}
