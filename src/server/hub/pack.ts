import type { Frames } from './publication.ts'

/** Many multipart messages for another thread. Topic and header are each message's own; deltas, which many share, cross once. */
export interface Packed {
  readonly frames: readonly string[]
  /** Per message the indices of its frames. */
  readonly messages: readonly (readonly number[])[]
}

const OWN_FRAMES = 2

export function packMessages(messages: readonly Frames[]): Packed {
  const out: string[] = []
  const shared = new Map<string, number>()
  const indexOf = (frame: string, position: number): number => {
    const known = position < OWN_FRAMES ? undefined : shared.get(frame)
    if (known !== undefined) return known
    out.push(frame)
    if (position >= OWN_FRAMES) shared.set(frame, out.length - 1)
    return out.length - 1
  }
  return { messages: messages.map((frames) => frames.map(indexOf)), frames: out }
}

export function* unpackMessages(packed: Packed): IterableIterator<string[]> {
  for (const indices of packed.messages) yield indices.map((i) => packed.frames[i] ?? '')
}
