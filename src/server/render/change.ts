import { count, listed } from '../../lib/text.ts'
import { cutText, textWidth, visible } from '../../lib/text-table.ts'
import type { Place } from '../../model/issue.ts'
import { displayKey, keyParts } from '../../model/key.ts'
import type { Action, AttributeChange, Change } from '../plan/types.ts'
import type { Group } from './group.ts'
import type { Pen } from './style.ts'
import { formatValue, isEmptyValue } from './value.ts'

export const SIGNS: Readonly<Record<Action, string>> = { create: '+', update: '~', delete: '-', recreate: '-/+' }

export function tint(pen: Pen, action: Action): (text: string) => string {
  if (action === 'create') return pen.green
  return action === 'update' ? pen.yellow : pen.red
}

/** Deletions: one line each, never grouped, so that none can be overlooked. */
export function deletionLines(changes: readonly Change[], pen: Pen): readonly string[] {
  const lines = changes.map((c) => [headLine(c, pen), ...(c.hosts.length > 0 ? [pen.dim(hostText(c.hosts, pen))] : [])].join('  '))
  return lines.length === 0 ? [] : [...lines, '']
}

/** The blocks of a group: one per change that is shown, and a line that names the others. */
export function groupLines(group: Group, pen: Pen): readonly string[] {
  const [first] = group.rest
  const blocks = group.shown.flatMap((change) => [...changeLines(change, pen), ''])
  if (first === undefined) return blocks
  const { kind } = keyParts(first.key)
  const names = group.rest.map((c) => visible(displayKey(c.key)).slice(kind.length + 1))
  const what = first.action === 'update' ? 'with the same change' : 'alike'
  const head = `${SIGNS[first.action]} ${count(group.rest.length, `more ${kind}`)} ${what}: `
  const room = pen.width - textWidth(head) - textWidth(' (--verbose shows them)')
  const line = `${head}${cutText(names.join(', '), Math.max(room, 20), pen.ellipsis)} (--verbose shows them)`
  return [...blocks, tint(pen, first.action)(line), ...hostLine(unionHosts(group.rest), pen), '']
}

function changeLines(change: Change, pen: Pen): readonly string[] {
  const head = headLine(change, pen)
  const shown = change.attributes.filter((a) => pen.verbose || change.action !== 'create' || !isQuiet(a))
  const hidden = change.attributes.length - shown.length
  const left = [
    ...(change.unchanged > 0 && change.action !== 'create' ? [`${change.unchanged} unchanged`] : []),
    ...(hidden > 0 ? [`${hidden} more (--verbose)`] : []),
  ]
  return [
    head,
    ...attributeLines(shown, change, pen),
    ...(left.length > 0 ? [pen.dim(`    ${left.join(', ')}`)] : []),
    ...hostLine(change.hosts, pen),
  ]
}

/** `~ network db-prod  nets/db.yaml:4:3  because site: path_mtu`. A deletion says the word, in capitals. */
function headLine(change: Change, pen: Pen): string {
  const name = visible(displayKey(change.key))
  const word = change.action === 'delete' ? 'DELETE ' : change.action === 'recreate' ? 'DELETE and create again ' : ''
  const title = pen.bold(tint(pen, change.action)(`${SIGNS[change.action]} ${word}${name}`))
  const why = change.reason === 'written' ? '' : change.action === 'delete' ? change.reason : `because ${change.reason}`
  const rest = [...(change.place === undefined ? [] : [pen.dim(formatPlace(change.place))]), ...(why === '' ? [] : [visible(why)])]
  return [title, ...rest].join('  ')
}

export function formatPlace(place: Place): string {
  return `${visible(place.file)}:${place.line}:${place.col}`
}

/** In a new resource, what says nothing: empty values, and the id that follows from the name. */
function isQuiet(attribute: AttributeChange): boolean {
  return attribute.path === 'id' || isEmptyValue(attribute.after)
}

function attributeLines(attributes: readonly AttributeChange[], change: Change, pen: Pen): readonly string[] {
  const widest = attributes.reduce((most, a) => Math.max(most, textWidth(a.path)), 0)
  return attributes.map((attribute) => {
    const sign = attribute.before === undefined ? '+' : attribute.after === undefined ? '-' : '~'
    const marks = [
      ...(attribute.allocated ? ['(auto)'] : []),
      ...(attribute.forces ? [`! cannot be changed in place: this deletes the ${keyParts(change.key).kind} and creates it again`] : []),
    ]
    const path = visible(attribute.path) + ' '.repeat(widest - textWidth(attribute.path))
    const value = formatChange(attribute, Math.max(16, pen.width - widest - 8), pen)
    const line = [`    ${sign} ${path}  ${value}`, ...marks.map((mark) => (attribute.forces ? pen.red(mark) : pen.dim(mark)))].join(' ')
    return line
  })
}

/** `before → after`; a value that is too long for the line is cut, unless everything is wanted. */
function formatChange({ before, after }: AttributeChange, room: number, pen: Pen): string {
  const each = before === undefined || after === undefined ? room : Math.floor((room - textWidth(pen.arrow) - 2) / 2)
  const shorten = (text: string): string => (pen.verbose ? text : cutText(text, each, pen.ellipsis))
  const old = before === undefined ? [] : [shorten(formatValue(before))]
  const now = after === undefined ? [] : [shorten(formatValue(after))]
  return [...old, ...now].join(` ${pen.arrow} `)
}

const HOSTS = 6

function hostLine(hosts: readonly string[], pen: Pen): readonly string[] {
  if (hosts.length === 0) return []
  return [pen.dim(`    ${hostText(hosts, pen)}`)]
}

function hostText(hosts: readonly string[], pen: Pen): string {
  return `${hosts.length === 1 ? 'host' : 'hosts'} ${formatHosts(hosts, pen)}`
}

export function formatHosts(hosts: readonly string[], pen: Pen): string {
  const shown = pen.verbose || hosts.length <= HOSTS ? hosts : hosts.slice(0, HOSTS - 1)
  const more = hosts.length - shown.length
  return listed([...shown.map(visible), ...(more > 0 ? [`${more} more`] : [])])
}

function unionHosts(changes: readonly Change[]): readonly string[] {
  return [...new Set(changes.flatMap((c) => c.hosts))].sort()
}
