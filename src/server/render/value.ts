import { isRecord } from '../../lib/json.ts'
import { visible } from '../../lib/text-table.ts'
import type { Json } from '../../model/brand.ts'

/** A value as it would be written in YAML on one line: quotes only where they are needed to tell it from another value. */
export function formatValue(value: Json): string {
  if (typeof value === 'string') return isPlain(value) ? value : visible(JSON.stringify(value))
  if (Array.isArray(value)) return `[${value.map(formatValue).join(', ')}]`
  if (!isRecord(value)) return String(value)
  const members = Object.keys(value)
    .sort()
    .map((name) => `${visible(name)}: ${formatValue(value[name] as Json)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

/** Nothing that a reader would miss: `''`, `[]`, `{}`. */
export function isEmptyValue(value: Json | undefined): boolean {
  if (value === undefined || value === '') return true
  if (Array.isArray(value)) return value.length === 0
  return isRecord(value) && Object.keys(value).length === 0
}

/** Words of letters, digits and the signs of addresses and names; not what YAML would read as something else. */
function isPlain(text: string): boolean {
  return /^[\p{L}\p{N}_./][\p{L}\p{N} _./:@+*-]*$/u.test(text) && !/^(true|false|null|\d+(\.\d*)?)$/.test(text) && !text.endsWith(' ')
}
