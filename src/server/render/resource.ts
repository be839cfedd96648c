import { formatAge } from '../../lib/duration.ts'
import { textWidth, visible } from '../../lib/text-table.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Place } from '../../model/issue.ts'
import { displayKey, type Key } from '../../model/key.ts'
import type { RevisionInfo } from '../store/types.ts'
import { formatPlace } from './change.ts'
import { formatGit } from './plan.ts'
import { penOf, type RenderStyle } from './style.ts'
import { formatValue, isEmptyValue } from './value.ts'

/** A resource as an operator knows it: attributes side by side, whoever brought them. */
export interface ShownResource {
  readonly key: Key
  readonly place?: Place
  readonly attributes: JsonObject
}

/** One line per attribute, sorted; empty ones only when verbose. */
export function renderResource({ key, place, attributes }: ShownResource, style: RenderStyle = {}): string {
  const pen = penOf(style)
  const names = Object.keys(attributes)
    .filter((name) => pen.verbose || !isEmptyValue(attributes[name]))
    .sort()
  const widest = names.reduce((most, name) => Math.max(most, textWidth(name)), 0)
  const lines = names.map((name) => `    ${visible(name)}${' '.repeat(widest - textWidth(name))}  ${formatValue(attributes[name] ?? null)}`)
  return pen.finish([headText({ key, ...(place === undefined ? {} : { place }) }, style), ...lines])
}

/** `port shop/web  a.yaml:5:3` */
export function headText({ key, place }: Pick<ShownResource, 'key' | 'place'>, style: RenderStyle = {}): string {
  const pen = penOf(style)
  return [pen.bold(visible(displayKey(key))), ...(place === undefined ? [] : [pen.dim(formatPlace(place))])].join('  ')
}

/** `revision 7 (11 min ago), git 9f2c1ab04b1d "subject" by ops` */
export function revisionText({ revision, committedAt, git }: RevisionInfo, now: number): string {
  return `revision ${revision} (${formatAge(committedAt, now)} ago)${git === undefined ? '' : `, git ${formatGit(git)}`}`
}
