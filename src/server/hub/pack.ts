import type { SealedDelta, Sealer } from '../../wire/seal.ts'
import type { Frames } from './publication.ts'

/** Many multipart messages for another thread. Topic and header are each message's own; deltas, which many share, cross once. */
export interface Packed {
  readonly frames: readonly string[]
  /** Per message the indices of its frames. */
  readonly messages: readonly (readonly number[])[]
}

const OWN_FRAMES = 2
/** Characters of messages handed over at once: bounds the memory of a large revision. */
const BATCH = 8 * 1024 * 1024

/** In batches; frames that several hosts share cross once per batch. */
export function* packInBatches(messages: Iterable<Frames>): IterableIterator<Packed> {
  let batch: Frames[] = []
  let size = 0
  for (const frames of messages) {
    batch.push(frames)
    size += frames.reduce((sum, frame) => sum + frame.length, 0)
    if (size <= BATCH) continue
    yield packMessages(batch)
    batch = []
    size = 0
  }
  if (batch.length > 0) yield packMessages(batch)
}

function packMessages(messages: readonly Frames[]): Packed {
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

/** The same messages, each sealed for its host; one whose topic `keyOf` has no key for is left out. A delta is sealed once, whoever needs it. */
export function* unpackSealed(
  packed: Packed,
  sealer: Sealer,
  keyOf: (topic: string) => Uint8Array | undefined,
): IterableIterator<string[]> {
  const deltas = new Map<number, SealedDelta>()
  const sealed = (index: number): SealedDelta => {
    let delta = deltas.get(index)
    if (delta === undefined) deltas.set(index, (delta = sealer.delta(packed.frames[index] ?? '')))
    return delta
  }
  for (const [topicAt = 0, headerAt = 0, ...rest] of packed.messages) {
    const topic = packed.frames[topicAt] ?? ''
    const key = keyOf(topic)
    if (key === undefined) continue
    const own = rest.map(sealed)
    const keys = own.map((d) => d.key)
    yield [topic, sealer.header(key, topic, packed.frames[headerAt] ?? '', keys), ...own.map((d) => d.frame)]
  }
}
