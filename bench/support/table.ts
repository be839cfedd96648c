import { type Column, tableLines } from '../../src/lib/text-table.ts'
import { type Figure, numberText, ratio, targetText } from './figures.ts'

const COLUMNS: readonly Column[] = [
  { title: 'At' },
  { title: 'What' },
  { title: 'Median', align: 'right' },
  { title: 'Unit' },
  { title: 'Min', align: 'right' },
  { title: 'P95', align: 'right' },
  { title: 'Max', align: 'right' },
  { title: 'n', align: 'right' },
  { title: 'Floor', align: 'right' },
  { title: 'Times', align: 'right' },
  { title: 'Target' },
  { title: 'The floor is' },
]

function cells(f: Figure): string[] {
  const times = ratio(f)
  return [
    f.at,
    f.what,
    numberText(f.median),
    f.unit,
    numberText(f.min),
    numberText(f.p95),
    numberText(f.max),
    String(f.n),
    f.floor === undefined ? '' : numberText(f.floor.value),
    times === undefined ? '' : `${numberText(times)}×`,
    targetText(f),
    f.floor?.what ?? '',
  ]
}

export function plainTable(figures: readonly Figure[]): string {
  return tableLines(COLUMNS, figures.map(cells)).join('\n')
}

export function markdownTable(figures: readonly Figure[]): string {
  const line = (row: readonly string[]): string => `| ${row.map((c) => c.replaceAll('|', '\\|')).join(' | ')} |`
  const rule = COLUMNS.map((c) => (c.align === 'right' ? '--:' : '---'))
  return [line(COLUMNS.map((c) => c.title)), line(rule), ...figures.map((f) => line(cells(f)))].join('\n')
}
