/** Edit distance with transposition of neighbours (optimal string alignment), counted up to `limit`; more than that is `limit + 1`. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let older: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (older[j - 2] ?? 0) + 1)
      row.push(cost)
    }
    if (Math.min(...row) > limit) return limit + 1
    older = previous
    previous = row
  }
  return Math.min(previous[b.length] ?? 0, limit + 1)
}

/**
 * The candidate an operator most likely meant, or undefined when none is near: at most a third of the letters differ (at least 1, at most 3).
 * Ties go to the one of the same length (swapped letters), then to the first in code-unit order, so that the answer does not depend on the order of the candidates.
 */
export function didYouMean(text: string, candidates: Iterable<string>): string | undefined {
  let limit = Math.min(3, Math.max(1, Math.floor(text.length / 3)))
  let best: string | undefined
  for (const candidate of candidates) {
    if (candidate === text) continue
    const distance = editDistance(text.toLowerCase(), candidate.toLowerCase(), limit)
    if (distance > limit || (distance === limit && best !== undefined && !better(text, candidate, best))) continue
    best = candidate
    limit = distance
  }
  return best
}

function better(text: string, candidate: string, best: string): boolean {
  const gain = Math.abs(best.length - text.length) - Math.abs(candidate.length - text.length)
  return gain === 0 ? candidate < best : gain > 0
}
