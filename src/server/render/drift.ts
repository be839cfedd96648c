import { formatAge } from '../../lib/duration.ts'
import { count, listed } from '../../lib/text.ts'
import { visible } from '../../lib/text-table.ts'
import type { Place } from '../../model/issue.ts'
import { compareText, displayKey, type Key } from '../../model/key.ts'
import type { DriftItem } from '../../model/status.ts'
import { formatPlace } from './change.ts'
import { type FleetInput, hostStates } from './fleet.ts'
import { type Pen, penOf, type RenderStyle } from './style.ts'

export interface DriftInput extends FleetInput {
  /** Where a resource stands in the repo. */
  readonly places?: (key: Key) => Place | undefined
  /** Hosts that were asked and did not answer. */
  readonly unheard?: ReadonlySet<string>
}

const SIGNS: Readonly<Record<DriftItem['kind'], string>> = { missing: '-', altered: '~', foreign: '?', stale: '+' }
const MEANS: Readonly<Record<DriftItem['kind'], string>> = {
  missing: 'is not there',
  altered: 'is not as it should be',
  foreign: 'is not ours',
  stale: 'is ours and should not be there',
}

/** What differs on each host, field by field, since when, and what is done about it. Says of which hosts nothing is known. */
export function renderDrift(input: DriftInput, style: RenderStyle = {}): string {
  const pen = penOf(style)
  const states = hostStates(input)
  const unknown = states.filter((s) => s.health === 'Missing')
  const items = [...input.drift].sort((a, b) => compareText(a.host, b.host) || compareText(a.kind, b.kind) || compareText(a.where, b.where))
  return pen.finish([
    ...items.flatMap((item) => [...itemLines(item, input, pen), '']),
    ...unknown.map((s) => pen.yellow(`${visible(s.host)}: nothing is known (${s.notes.join('; ')})`)),
    summary(items, states.filter((s) => s.health !== 'Missing' && input.unheard?.has(s.host) !== true).length),
  ])
}

function itemLines(item: DriftItem & { readonly host: string }, input: DriftInput, pen: Pen): readonly string[] {
  const tint = item.kind === 'foreign' ? pen.cyan : item.kind === 'altered' ? pen.yellow : pen.red
  const head = tint(`${SIGNS[item.kind]} ${visible(item.host)}  ${visible(item.where)}  ${MEANS[item.kind]}`)
  const owners = item.owners.map((key) => {
    const place = input.places?.(key)
    return `${visible(displayKey(key))}${place === undefined ? '' : ` (${formatPlace(place)})`}`
  })
  return [
    head,
    ...item.fields.map((f) => `    ${fieldText(f, pen)}`),
    ...(owners.length === 0
      ? []
      : [`    for ${listed(owners.length > 4 ? [...owners.slice(0, 3), `${owners.length - 3} more`] : owners)}`]),
    pen.dim(`    since ${item.since} (${formatAge(item.since, input.now)}), ${actionText(item.action)}`),
  ]
}

/** `tag  want 7, have 12`: a field that is missing on one side says so. */
function fieldText({ field, want, have }: DriftItem['fields'][number], pen: Pen): string {
  const name = field === '' ? '' : `${visible(field)}  `
  if (want === undefined) return `${name}have ${pen.red(visible(have ?? ''))}`
  if (have === undefined) return `${name}want ${pen.green(visible(want))}`
  return `${name}want ${pen.green(visible(want))}, have ${pen.red(visible(have))}`
}

function actionText(action: DriftItem['action']): string {
  if (action === 'repair') return 'being repaired'
  return action === 'report' ? 'reported only' : action
}

function summary(items: readonly DriftItem[], heard: number): string {
  const own = items.filter((i) => i.kind !== 'foreign')
  const foreign = items.length - own.length
  const aside = foreign === 0 ? '' : ` ${count(foreign, 'thing')} of others ${foreign === 1 ? 'is' : 'are'} left alone.`
  if (heard === 0) return `No host is heard: nothing can be said about drift.${aside}`
  if (own.length === 0) return `No drift on ${count(heard, 'host')}.${aside}`
  const kinds = (['missing', 'altered', 'stale'] as const).flatMap((kind) => {
    const n = own.filter((i) => i.kind === kind).length
    return n === 0 ? [] : [`${n} ${kind}`]
  })
  return `Drift: ${listed(kinds)}.${aside}`
}
