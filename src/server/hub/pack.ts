import type { Frames } from './publication.ts'

/** Many multipart messages for another thread: frames that several of them share cross once. */
export interface Packed {
  readonly frames: readonly string[]
  /** Per message the indices of its frames. */
  readonly messages: readonly (readonly number[])[]
}

export function packMessages(messages: readonly Frames[]): Packed {
  const indices = new Map<string, number>()
  const indexOf = (frame: string): number => {
    const known = indices.get(frame)
    if (known !== undefined) return known
    indices.set(frame, indices.size)
    return indices.size - 1
  }
  const packed = messages.map((frames) => frames.map(indexOf))
  return { frames: [...indices.keys()], messages: packed }
}

export function* unpackMessages(packed: Packed): IterableIterator<string[]> {
  for (const indices of packed.messages) yield indices.map((i) => packed.frames[i] ?? '')
}
