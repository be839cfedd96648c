import { formatAge, formatDuration } from '../../lib/duration.ts'
import { count, listed } from '../../lib/text.ts'
import { type Column, type TableStyle, tableLines, textWidth, visible } from '../../lib/text-table.ts'
import { compareText, displayKey } from '../../model/key.ts'
import { formatHosts } from './change.ts'
import { type FleetInput, type HostState, hostStates, silentFor } from './fleet.ts'
import { type Pen, penOf, type RenderStyle } from './style.ts'

const SHOWN_HOSTS = 5
/** Objects of one state that are shown one by one: more would push the hosts off the screen. */
const SHOWN = 10

/** The fleet, a line per host, then the objects that are not ACTIVE with their causes, the first few of each state (every object when verbose). */
export function renderStatus(input: FleetInput, style: RenderStyle = {}): string {
  const pen = penOf(style)
  const hosts = hostStates(input)
  if (hosts.length === 0) return pen.finish([nobody(input)])
  const objects = input.status.filter((o) => pen.verbose || o.state !== 'ACTIVE')
  return pen.finish([
    ...hostTable(hosts, input, pen),
    ...(objects.length === 0 ? [] : ['', ...objectTable(objects, input.now, pen)]),
    '',
    summary(hosts, input),
  ])
}

function nobody({ revision, first }: FleetInput): string {
  if (revision > 0) {
    return `Revision ${revision}. ${declaredText(first?.declared ?? [])}, and none has reported.`
  }
  if (first === undefined) return 'Revision none. No host has reported.'
  const { declared, awaited, awaitedMs } = first
  if (declared.length === 0) return `Revision none. ${declaredText(declared)}, and none has reported.`
  const next =
    awaited.length === 0
      ? 'nothing is committed yet'
      : `the first revision waits for ${named(awaited)} to say what ${awaited.length === 1 ? 'it holds' : 'they hold'}, at most ${formatDuration(awaitedMs)} more`
  return `Revision none. ${declaredText(declared)}, and ${next}.`
}

function declaredText(hosts: readonly string[]): string {
  if (hosts.length === 0) return 'No host is declared'
  return `${count(hosts.length, 'host')} ${hosts.length === 1 ? 'is' : 'are'} declared (${named(hosts)})`
}

function named(hosts: readonly string[]): string {
  const names = hosts.map(visible)
  return listed(names.length > SHOWN_HOSTS ? [...names.slice(0, SHOWN_HOSTS - 1), `${names.length - SHOWN_HOSTS + 1} more`] : names)
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
  return tableOrBelow(columns, rows, pen)
}

/**
 * A table whose last column is a sentence: it says what to type, so it is never cut. Where one does not fit beside the others, each stands below its line.
 */
function tableOrBelow(columns: readonly Column[], rows: readonly (readonly string[])[], pen: Pen): readonly string[] {
  const style: TableStyle = { ellipsis: pen.ellipsis, paint: (text, { row }) => paint(pen, row, text) }
  const whole = tableLines(columns, rows, { ellipsis: pen.ellipsis })
  if (whole.every((line) => textWidth(line) <= pen.width)) return tableLines(columns, rows, style)
  const last = columns.length - 1
  const lines = tableLines(
    columns.slice(0, last),
    rows.map((cells) => cells.slice(0, last)),
    pen.verbose ? style : { ...style, width: pen.width },
  )
  return lines.flatMap((line, at) => [line, ...belowLine(rows[at - 1]?.[last])])
}

function belowLine(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : [`    ${text}`]
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

type HostObject = FleetInput['status'][number]

function objectTable(objects: readonly HostObject[], now: number, pen: Pen): readonly string[] {
  const sorted = [...objects].sort((a, b) => compareText(a.state, b.state) || compareText(a.key, b.key) || compareText(a.host, b.host))
  const states = [...new Set(sorted.map((o) => o.state))].map((state) => sorted.filter((o) => o.state === state))
  const shown = pen.verbose ? sorted : states.flatMap((alike) => alike.slice(0, SHOWN))
  const more = pen.verbose ? [] : states.flatMap((alike) => moreLine(alike.slice(SHOWN), pen))
  return [...objectLines(shown, now, pen), ...more]
}

function moreLine(rest: readonly HostObject[], pen: Pen): readonly string[] {
  const [first] = rest
  if (first === undefined) return []
  const hosts = [...new Set(rest.map((o) => o.host))].sort(compareText)
  return [`and ${rest.length} more ${paint(pen, 0, first.state)} on ${formatHosts(hosts, pen)} (--verbose shows them)`]
}

function objectLines(objects: readonly HostObject[], now: number, pen: Pen): readonly string[] {
  const columns = [
    { title: 'OBJECT', least: 12 },
    { title: 'HOST', least: 6 },
    { title: 'STATE' },
    { title: 'FOR', align: 'right' as const },
    { title: 'CAUSE', least: 20 },
  ]
  const rows = objects.map((o) => [
    visible(displayKey(o.key)),
    visible(o.host),
    o.state,
    formatAge(o.since, now),
    visible(`${o.cause ?? ''}${o.attempts > 1 ? ` (${o.attempts} attempts)` : ''}`.trim()),
  ])
  return tableOrBelow(columns, rows, pen)
}

function summary(hosts: readonly HostState[], input: FleetInput): string {
  const fine = hosts.filter((h) => h.sync === 'Synced' && h.health === 'Healthy').length
  const holding = new Set(input.status.map((o) => o.host))
  const of = (health: HostState['health']): readonly string[] =>
    hosts.filter((h) => h.health === health && holding.has(h.host)).map((h) => h.host)
  const [stalled, missing] = [of('Stalled'), of('Missing')]
  const unknown = new Set([...stalled, ...missing])
  const active = input.status.filter((o) => o.state === 'ACTIVE' && !unknown.has(o.host)).length
  const notKnown = `${unknownText(stalled, stalledWhy(stalled, input), input)}${unknownText(missing, missingWhy(missing), input)}`
  const objects = `${active} of ${count(input.status.length, 'object')} active${notKnown}`
  return `Revision ${input.revision || 'none'}: ${fine} of ${count(hosts.length, 'host')} synced and healthy; ${objects}.`
}

/** What a host holds whose switch does not answer, or whose agent is not heard, is not known, whatever the agent last read. */
function unknownText(hosts: readonly string[], why: string, { status }: FleetInput): string {
  const theirs = new Set(hosts)
  const unknown = status.filter((o) => theirs.has(o.host)).length
  return unknown === 0 ? '' : `; ${unknown} on ${named(hosts)} not known: ${why}`
}

function stalledWhy(stalled: readonly string[], { dataplanes, now }: FleetInput): string {
  const [only] = stalled
  const dataplane = only === undefined || stalled.length > 1 ? undefined : dataplanes?.[only]
  return dataplane === undefined ? 'their switches do not answer' : `its switch does not answer, since ${silentFor(dataplane, now)}`
}

function missingWhy(missing: readonly string[]): string {
  return missing.length === 1 ? 'its agent is not heard' : 'their agents are not heard'
}
