import { formatAge } from '../../lib/duration.ts'
import { count } from '../../lib/text.ts'
import { tableLines, visible } from '../../lib/text-table.ts'
import { compareText, displayKey } from '../../model/key.ts'
import type { ObjectStatus } from '../../model/status.ts'
import { type FleetInput, type HostState, hostStates } from './fleet.ts'
import { type Pen, penOf, type RenderStyle } from './style.ts'

/** The fleet, a line per host, then every object that is not ACTIVE (all of them when verbose) with its cause. */
export function renderStatus(input: FleetInput, style: RenderStyle = {}): string {
  const pen = penOf(style)
  const hosts = hostStates(input)
  if (hosts.length === 0) return pen.finish([`Revision ${input.revision || 'none'}. No host is declared, and none has reported.`])
  const objects = input.status.filter((o) => pen.verbose || o.state !== 'ACTIVE')
  return pen.finish([
    ...hostTable(hosts, input, pen),
    ...(objects.length === 0 ? [] : ['', ...objectTable(objects, input.now, pen)]),
    '',
    summary(hosts, input),
  ])
}

function hostTable(hosts: readonly HostState[], input: FleetInput, pen: Pen): readonly string[] {
  const columns = [
    { title: 'HOST', least: 8 },
    { title: 'SYNC' },
    { title: 'HEALTH' },
    { title: 'REV', align: 'right' as const },
    { title: 'LAG', align: 'right' as const },
    { title: 'HEARD', align: 'right' as const },
    { title: 'NOTE', least: 12 },
  ]
  const rows = hosts.map((h) => [
    visible(h.host),
    h.sync,
    h.health,
    h.agent === undefined ? '-' : String(h.agent.revision),
    String(h.lag),
    h.agent === undefined ? 'never' : formatAge(h.agent.lastSeen, input.now),
    visible(h.notes.join('; ')),
  ])
  return tableLines(columns, rows, { width: pen.width, ellipsis: pen.ellipsis, paint: (text, { row }) => paint(pen, row, text) })
}

const GOOD: ReadonlySet<string> = new Set(['Synced', 'Healthy', 'ACTIVE'])
const BAD: ReadonlySet<string> = new Set(['OutOfSync', 'Degraded', 'Stalled', 'Missing', 'Unknown', 'ERROR'])
const BETWEEN: ReadonlySet<string> = new Set(['Applying', 'Progressing', 'Waiting', 'WAITING', 'BUILD', 'DOWN'])

function paint(pen: Pen, row: number, text: string): string {
  if (row < 0) return pen.dim(text)
  if (GOOD.has(text)) return pen.green(text)
  if (BAD.has(text)) return pen.red(text)
  return BETWEEN.has(text) ? pen.yellow(text) : text
}

function objectTable(objects: readonly (ObjectStatus & { readonly host: string })[], now: number, pen: Pen): readonly string[] {
  const sorted = [...objects].sort((a, b) => compareText(a.state, b.state) || compareText(a.key, b.key) || compareText(a.host, b.host))
  const columns = [
    { title: 'OBJECT', least: 12 },
    { title: 'HOST', least: 6 },
    { title: 'STATE' },
    { title: 'FOR', align: 'right' as const },
    { title: 'CAUSE', least: 20 },
  ]
  const rows = sorted.map((o) => [
    visible(displayKey(o.key)),
    visible(o.host),
    o.state,
    formatAge(o.since, now),
    visible(`${o.cause ?? ''}${o.attempts > 1 ? ` (${o.attempts} attempts)` : ''}`.trim()),
  ])
  const style = pen.verbose ? {} : { width: pen.width }
  return tableLines(columns, rows, { ...style, ellipsis: pen.ellipsis, paint: (text, { row }) => paint(pen, row, text) })
}

function summary(hosts: readonly HostState[], input: FleetInput): string {
  const fine = hosts.filter((h) => h.sync === 'Synced' && h.health === 'Healthy').length
  const active = input.status.filter((o) => o.state === 'ACTIVE').length
  return `Revision ${input.revision || 'none'}: ${fine} of ${count(hosts.length, 'host')} synced and healthy; ${active} of ${count(input.status.length, 'object')} active.`
}
