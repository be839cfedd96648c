import { formatAge } from '../../lib/duration.ts'
import { count } from '../../lib/text.ts'
import { tableLines, visible } from '../../lib/text-table.ts'
import { penOf, type RenderStyle } from './style.ts'

/** A host and its key, as `netloom keys list` shows it. */
export interface HostKeyState {
  readonly host: string
  readonly key: 'yes' | 'none'
  readonly public_key?: string
  /** ISO 8601; absent: never heard of. */
  readonly last_seen?: string
  /** Since the server started. */
  readonly refused: number
}

/** What a server refused, by reason and host. */
export interface RefusedState {
  readonly reason: string
  /** Empty: nothing says which. */
  readonly host: string
  readonly count: number
  readonly last: string
  readonly detail: string
}

export function renderKeys(hosts: readonly HostKeyState[], strangers: number, now: number, style: RenderStyle = {}): string {
  const pen = penOf(style)
  if (hosts.length === 0) return pen.finish(['No host is declared in the current revision.'])
  const columns = [
    { title: 'HOST', least: 8 },
    { title: 'KEY', least: 6 },
    { title: 'HEARD', align: 'right' as const },
    { title: 'REFUSED', align: 'right' as const },
  ]
  const rows = hosts.map((h) => [
    visible(h.host),
    h.public_key ?? 'none',
    h.last_seen === undefined ? 'never' : formatAge(h.last_seen, now),
    String(h.refused),
  ])
  const keyless = hosts.filter((h) => h.key === 'none')
  return pen.finish([
    ...tableLines(columns, rows, { width: pen.width, ellipsis: pen.ellipsis, paint: (text) => text }),
    '',
    `${hosts.length - keyless.length} of ${count(hosts.length, 'host')} have a key${strangers === 0 ? '' : `; ${strangers} refused from nobody we know`}.`,
    ...(keyless.length === 0 ? [] : [`next: netloom keys new ${keyless[0]?.host ?? ''}`]),
  ])
}

/** One line, or none when nothing was refused. */
export function refusedLines(refused: readonly RefusedState[]): readonly string[] {
  if (refused.length === 0) return []
  const sum = refused.reduce((n, r) => n + r.count, 0)
  const parts = [...refused]
    .sort((a, b) => b.count - a.count)
    .slice(0, 4)
    .map((r) => `${r.reason}${r.host === '' ? '' : ` ${visible(r.host)}`} ${r.count}`)
  return [
    `Refused since the server started: ${sum} (${parts.join(', ')}${refused.length > 4 ? ', …' : ''}); netloom status --json has the details.`,
  ]
}
