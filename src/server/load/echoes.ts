import type { Issue } from '../../model/issue.ts'

const MISREAD_NUMBERS: ReadonlySet<string> = new Set(['E0151', 'E0152'])

/**
 * Leaves one issue of several that say the same of one spot: an error of reading silences those of the schema, which saw only the gap it left; an
 * error of the schema silences a warning of reading, whose hint about numbers is the better one since it knows what was typed.
 */
export function withoutEchoes(issues: readonly Issue[]): Issue[] {
  const reading = new Map<string, Issue>()
  for (const issue of issues) if (issue.code < 'E02') reading.set(spot(issue), issue)
  if (reading.size === 0) return [...issues]
  const silenced = new Set<Issue>()
  const out: Issue[] = []
  for (const issue of issues) {
    const other = issue.code < 'E02' ? undefined : reading.get(spot(issue))
    if (other === undefined || issue.severity !== 'error') out.push(issue)
    else if (other.severity !== 'error') {
      silenced.add(other)
      out.push(MISREAD_NUMBERS.has(other.code) && other.hint !== undefined ? { ...issue, hint: other.hint } : issue)
    }
  }
  return out.filter((issue) => !silenced.has(issue))
}

function spot({ place }: Issue): string {
  return place === undefined ? '' : `${place.line}:${place.col}`
}
