/** Sends one after the other: a ZeroMQ socket takes one `send` at a time and fails the second with EBUSY. */
export interface Outbox<T> {
  /** Resolves when this item was sent or dropped; never rejects. */
  push(item: T): Promise<void>
  /** Items not sent yet. */
  readonly length: number
  /** Items that could not be sent, or that came when the box was full. */
  readonly dropped: number
}

/** `send` may reject: the item counts as dropped, and the next one is tried. Beyond `limit` waiting items new ones are dropped. */
export function createOutbox<T>(send: (item: T) => Promise<void>, limit: number): Outbox<T> {
  let tail: Promise<void> = Promise.resolve()
  let length = 0
  let dropped = 0
  return {
    get length() {
      return length
    },
    get dropped() {
      return dropped
    },
    push(item) {
      if (length >= limit) {
        dropped++
        return Promise.resolve()
      }
      length++
      tail = tail
        .then(() => send(item))
        .catch(() => {
          dropped++
        })
        .finally(() => {
          length--
        })
      return tail
    },
  }
}
