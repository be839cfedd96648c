/**
 * Splits a set into parts of about `size` members such that one member more or less changes one part: the part of a member follows from its
 * own number alone, and the count of parts is a power of two that grows with the set. Numbers should be spread evenly. Parts that are empty are left out.
 */
export function chunksOf<T>(members: readonly T[], numberOf: (member: T) => number, size: number): ReadonlyMap<number, readonly T[]> {
  const count = chunkCount(members.length, size)
  const out = new Map<number, T[]>()
  for (const member of [...members].sort((a, b) => numberOf(a) - numberOf(b))) {
    const index = numberOf(member) % count
    const chunk = out.get(index)
    if (chunk === undefined) out.set(index, [member])
    else chunk.push(member)
  }
  return new Map([...out].sort(([a], [b]) => a - b))
}

/** The smallest power of two of parts that holds `total` members at `size` each on average. */
export function chunkCount(total: number, size: number): number {
  let count = 1
  while (count * size < total) count *= 2
  return count
}
