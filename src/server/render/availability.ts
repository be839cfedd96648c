import { tableLines, visible } from '../../lib/text-table.ts'
import { keyParts } from '../../model/key.ts'
import type { SubnetAvailability } from '../plan/availability.ts'
import { penOf, type RenderStyle } from './style.ts'

/** A subnet a line; those that are nearly full (a tenth or less is left) in red. */
export function renderAvailability(subnets: readonly SubnetAvailability[], style: RenderStyle = {}): string {
  const pen = penOf(style)
  if (subnets.length === 0) return pen.finish(['No subnet is applied. netloom apply makes what the repository says.'])
  const columns = [
    { title: 'NETWORK', least: 10 },
    { title: 'SUBNET', least: 10 },
    { title: 'CIDR' },
    ...['TOTAL', 'USED', 'RESERVED', 'FREE'].map((title) => ({ title, align: 'right' as const })),
  ]
  const rows = subnets.map((s) => [
    visible(s.network),
    visible(keyParts(s.subnet).name),
    s.cidr,
    many(s.total),
    String(s.used),
    String(s.reserved),
    many(s.free),
  ])
  const scarce = new Set(subnets.flatMap((s, row) => (s.free * 10n <= s.total ? [row] : [])))
  const paint = (text: string, { row, column }: { readonly row: number; readonly column: number }): string =>
    row < 0 ? pen.dim(text) : scarce.has(row) && column === columns.length - 1 ? pen.red(text) : text
  return pen.finish(tableLines(columns, rows, { width: pen.width, ellipsis: pen.ellipsis, paint }))
}

/** Nobody reads twenty digits: `2^64` for whole IPv6 subnets and the like. */
function many(n: bigint): string {
  if (n < 1_000_000_000n) return n.toString()
  return `≈2^${(n + 1n).toString(2).length - 1}`
}
