import { formatAge } from '../../lib/duration.ts'
import { tableLines, visible } from '../../lib/text-table.ts'
import type { RevisionInfo } from '../store/types.ts'
import { penOf, type RenderStyle } from './style.ts'

/** Revisions, newest first, a line each: what changed, by which commit, and why a guard was overridden. */
export function renderHistory(revisions: readonly RevisionInfo[], now: number, style: RenderStyle = {}): string {
  const pen = penOf(style)
  if (revisions.length === 0) return pen.finish(['No revision yet. netloom apply makes the first.'])
  const columns = [
    { title: 'REV', align: 'right' as const },
    { title: 'AGO', align: 'right' as const },
    { title: 'PLAN' },
    { title: 'CHANGES' },
    { title: 'COMMIT' },
    { title: 'BY', least: 6 },
    { title: 'SUBJECT', least: 16 },
    { title: 'REASON', least: 10 },
  ]
  const rows = revisions.map(({ revision, committedAt, plan, summary, git, reason }) => [
    String(revision),
    formatAge(committedAt, now),
    plan,
    changes(summary),
    git === undefined ? '-' : `${visible(git.commit.slice(0, 10))}${git.dirty ? '+' : ''}`,
    visible(git?.author ?? ''),
    visible(git?.subject ?? ''),
    visible(reason ?? ''),
  ])
  const width = pen.verbose ? {} : { width: pen.width }
  return pen.finish(
    tableLines(columns, rows, { ...width, ellipsis: pen.ellipsis, paint: (text, { row }) => (row < 0 ? pen.dim(text) : text) }),
  )
}

/** `+3 ~1 -2`, re-creations as `-/+1`; `none` when only the wording changed. */
function changes({ create, update, delete: gone, recreate }: RevisionInfo['summary']): string {
  const parts = [
    ['+', create],
    ['~', update],
    ['-', gone],
    ['-/+', recreate],
  ] as const
  const said = parts.filter(([, n]) => n > 0).map(([sign, n]) => `${sign}${n}`)
  return said.length === 0 ? 'none' : said.join(' ')
}
