import { formatAge, formatDuration } from '../../lib/duration.ts'
import { count } from '../../lib/text.ts'
import { tableLines, visible } from '../../lib/text-table.ts'
import { penOf, type RenderStyle } from './style.ts'

/** A call of a subscriber that has not succeeded yet. Times are ISO 8601. */
export interface CallView {
  readonly plugin: string
  readonly subscription: string
  /** `after update port a`, `agent/down h1`. */
  readonly about: string
  readonly revision: number
  readonly attempts: number
  readonly error?: string
  readonly since: string
  readonly next_at: string
}

export interface CallsView {
  readonly total: number
  readonly failing: number
  /** The first of them, those that failed before the others. */
  readonly calls: readonly CallView[]
}

/** Calls that failed, a line each, and how many wait; nothing when none does. `running`: a server is there to make them. */
export function renderCallbacks({ total, failing, calls }: CallsView, now: number, running: boolean, style: RenderStyle = {}): string {
  const pen = penOf(style)
  if (total === 0) return ''
  const shown = calls.filter((c) => pen.verbose || c.error !== undefined)
  const columns = [
    { title: 'SUBSCRIBER', least: 12 },
    { title: 'EVENT', least: 12 },
    { title: 'REV', align: 'right' as const },
    { title: 'FOR', align: 'right' as const },
    { title: 'TRIES', align: 'right' as const },
    { title: 'NEXT', align: 'right' as const },
    { title: 'ERROR', least: 20 },
  ]
  const rows = shown.map((c) => [
    visible(`${c.plugin} ${c.subscription}`),
    visible(c.about),
    String(c.revision),
    formatAge(c.since, now),
    String(c.attempts),
    running ? formatDuration(Date.parse(c.next_at) - now) : '-',
    visible(c.error ?? ''),
  ])
  const width = pen.verbose ? {} : { width: pen.width }
  const paint = (text: string, { row }: { readonly row: number }): string => (row < 0 ? pen.dim(text) : text)
  const table = shown.length === 0 ? [] : ['', ...tableLines(columns, rows, { ...width, ellipsis: pen.ellipsis, paint })]
  const left = shown.filter((c) => c.error !== undefined).length
  const more = failing > left ? `, ${failing - left} of the failed not shown` : ''
  const when = running ? 'tried again until they succeed' : 'made when a server is started'
  return pen.finish([...table, `${count(total, 'call')} to subscribers waiting, ${failing} failed before${more}: ${when}.`])
}
