import type { Issue } from '../../model/issue.ts'

const MISREAD_NUMBERS: ReadonlySet<string> = new Set(['W0151', 'W0152'])

/**
 * Leaves one issue of several that say the same of one spot: an error of reading silences those of the schema, which saw only the gap it left; an
 * error of the schema silences a warning of reading, whose hint about numbers is the better one since it knows what was typed (but no number is an address, however
 * it is written: E0329).
 */
export function withoutEchoes(issues: readonly Issue[]): Issue[] {
  const reading = new Map<string, Issue>()
  for (const issue of issues) if (isOfReading(issue)) reading.set(spot(issue), issue)
  if (reading.size === 0) return [...issues]
  const silenced = new Set<Issue>()
  const out: Issue[] = []
  for (const issue of issues) {
    const other = isOfReading(issue) ? undefined : reading.get(spot(issue))
    if (other === undefined || issue.severity !== 'error') out.push(issue)
    else if (other.severity !== 'error') {
      silenced.add(other)
      const better = MISREAD_NUMBERS.has(other.code) && issue.code !== 'E0329'
      out.push(better && other.hint !== undefined ? { ...issue, hint: other.hint } : issue)
    }
  }
  return out.filter((issue) => !silenced.has(issue))
}

/** Codes of reading are those that begin with 01, behind the letter of their severity. */
function isOfReading({ code }: Issue): boolean {
  return code.startsWith('01', 1)
}

function spot({ place }: Issue): string {
  return place === undefined ? '' : `${place.line}:${place.col}`
}
