/** Texts by key, as many as the budget takes; the least recently used goes first. */
export interface TextCache<T extends { readonly text: string }> {
  get(key: string): T | undefined
  put(key: string, value: T): void
}

/** `budget` in characters, which are octets for all but a few scopes. */
export function createTextCache<T extends { readonly text: string }>(budget: number): TextCache<T> {
  const entries = new Map<string, T>()
  let size = 0
  return {
    get(key) {
      const found = entries.get(key)
      if (found === undefined) return undefined
      entries.delete(key)
      entries.set(key, found)
      return found
    },
    put(key, value) {
      if (value.text.length > budget / 4 || entries.has(key)) return
      entries.set(key, value)
      size += value.text.length
      for (const [old, dropped] of entries) {
        if (size <= budget) return
        entries.delete(old)
        size -= dropped.text.length
      }
    },
  }
}
