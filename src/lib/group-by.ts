/** One list for each key, in the order of the values. (`Map.groupBy` came after the oldest Node that runs this.) */
export function groupBy<T, K>(values: Iterable<T>, keyOf: (value: T) => K): Map<K, T[]> {
  const out = new Map<K, T[]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = out.get(key)
    if (group === undefined) out.set(key, [value])
    else group.push(value)
  }
  return out
}
