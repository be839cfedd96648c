import { tableLines, visible } from '../../lib/text-table.ts'
import type { QuotaUse } from '../plan/quota.ts'
import { penOf, type RenderStyle } from './style.ts'

/** A kind of a project a line; where nothing is left, in red. */
export function renderQuota(uses: readonly QuotaUse[], style: RenderStyle = {}): string {
  const pen = penOf(style)
  if (uses.length === 0) return pen.finish(['No project has a resource or a quota. netloom apply makes what the repository says.'])
  const columns = [
    { title: 'PROJECT', least: 10 },
    { title: 'RESOURCE', least: 10 },
    ...['LIMIT', 'USED', 'FREE'].map((title) => ({ title, align: 'right' as const })),
  ]
  const rows = uses.map(({ project, collection, limit, used }) => [
    visible(project),
    collection,
    limit < 0 ? '-' : String(limit),
    String(used),
    limit < 0 ? '-' : String(Math.max(0, limit - used)),
  ])
  const spent = new Set(uses.flatMap((use, row) => (use.limit >= 0 && use.used >= use.limit ? [row] : [])))
  const paint = (text: string, { row, column }: { readonly row: number; readonly column: number }): string =>
    row < 0 ? pen.dim(text) : spent.has(row) && column === columns.length - 1 ? pen.red(text) : text
  return pen.finish(tableLines(columns, rows, { width: pen.width, ellipsis: pen.ellipsis, paint }))
}
