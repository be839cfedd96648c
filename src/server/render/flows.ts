import { formatAge } from '../../lib/duration.ts'
import { count, listed } from '../../lib/text.ts'
import { visible } from '../../lib/text-table.ts'
import { displayKey, type Key } from '../../model/key.ts'
import type { HostImpact, ItemChange } from '../impact/impact.ts'
import type { Wait } from '../impact/waits.ts'
import { SIGNS, tint } from './change.ts'
import { type Pen, penOf, type RenderStyle } from './style.ts'

const SILENT_MS = 60_000
const OWNERS = 4

/** Rows and flows of a plan, host by host, each with the resources it exists for. Never shortened: it is read to be compared with the switch. */
export function renderFlows(impacts: readonly HostImpact[], now: number, style: RenderStyle = {}): string {
  const pen = penOf(style)
  if (impacts.length === 0) return pen.finish(['Flows    none changes on any host'])
  return pen.finish(impacts.flatMap((impact) => [...hostLines(impact, now, pen), '']).slice(0, -1))
}

function hostLines(impact: HostImpact, now: number, pen: Pen): readonly string[] {
  return [
    `${pen.bold(`Host ${visible(impact.host)}`)}  ${countsText(impact.items)}`,
    ...basisLines(impact, now, pen),
    ...impact.items.flatMap((change) => itemLines(change, pen)),
    ...impact.waits.flatMap((wait) => waitLines(wait, pen)),
    ...impact.verdicts
      .filter((v) => !impact.waits.some((w) => w.port === v.key))
      .map((v) => `  ${pen.yellow(`! ${visible(displayKey(v.key))} will be ${v.state}: ${visible(v.cause)}`)}`),
  ]
}

function countsText(items: readonly ItemChange[]): string {
  const said = (['create', 'update', 'delete'] as const).flatMap((action) => {
    const n = items.filter((i) => i.action === action).length
    return n === 0 ? [] : [`${n} ${{ create: 'to add', update: 'to alter', delete: 'to remove' }[action]}`]
  })
  return said.length === 0 ? 'nothing changes' : said.join(', ')
}

/** Where the numbers come from, where that is not simply the switch as it is now. */
function basisLines({ host, basis, seen = '' }: HostImpact, now: number, pen: Pen): readonly string[] {
  if (basis === 'predicted')
    return [
      pen.yellow(
        `  predicted: no agent has told of the switch of ${visible(host)}; numbers that the switch gives may come out differently`,
      ),
    ]
  const silent = now - Date.parse(seen) > SILENT_MS
  return silent ? [pen.yellow(`  as the agent of ${visible(host)} last told of its switch, ${formatAge(seen, now)} ago`)] : []
}

function itemLines(change: ItemChange, pen: Pen): readonly string[] {
  const { action, item, before = '', after = '' } = change
  const paint = tint(pen, action)
  const sign = SIGNS[action]
  const owners = pen.dim(`# ${ownersText(change.owners)}`)
  if (item.startsWith('flow ')) {
    if (action !== 'update') return [`  ${paint(`${sign} ${visible(action === 'create' ? after : before)}`)}  ${owners}`]
    return [`  ${paint(`${sign} ${visible(item)}`)}  ${owners}`, ...lines('-', [before], pen), ...lines('+', [after], pen)]
  }
  const [old, now] = [before, after].map((text) => text.split('\n').filter((line) => line !== ''))
  return [
    `  ${paint(`${sign} ${visible(item)}`)}  ${owners}`,
    ...lines(
      '-',
      (old ?? []).filter((line) => !now?.includes(line)),
      pen,
    ),
    ...lines(
      '+',
      (now ?? []).filter((line) => !old?.includes(line)),
      pen,
    ),
  ]
}

function lines(sign: '+' | '-', texts: readonly string[], pen: Pen): readonly string[] {
  const paint = sign === '+' ? pen.green : pen.red
  return texts.map((text) => `      ${paint(`${sign} ${visible(text)}`)}`)
}

function waitLines({ port, cause, items }: Wait, pen: Pen): readonly string[] {
  const head = `${pen.ellipsis} ${visible(displayKey(port))} waits: ${visible(cause)}; once it is plugged, ${count(items.length, 'flow')} more`
  return [`  ${pen.yellow(head)}`, ...items.map(({ text }) => `      ${pen.dim(`+ ${visible(text)}`)}`)]
}

function ownersText(owners: readonly Key[]): string {
  const names = owners.map((key) => visible(displayKey(key)))
  return listed(names.length > OWNERS ? [...names.slice(0, OWNERS - 1), `${names.length - OWNERS + 1} more`] : names)
}
