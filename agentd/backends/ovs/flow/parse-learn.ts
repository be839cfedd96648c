import { badValue, FlowError } from './error.ts'
import { type Field, fieldByText } from './fields.ts'
import { parseSubfield } from './parse-subfield.ts'
import { parseFieldText } from './parse-value.ts'
import { keyValue, splitOutside } from './tokens.ts'
import type { LearnAction, LearnSpec, Subfield } from './types.ts'
import { parseNumber, parseUint } from './values.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The inside of `learn(…)`. */
export function parseLearn(inside: string): LearnAction {
  const made: Mutable<LearnAction> = { kind: 'learn', table: 1, specs: [] }
  const specs: LearnSpec[] = []
  for (const part of splitOutside(inside, ', ')) {
    const { key, value } = keyValue(part)
    if (!readAttribute(made, key, value)) specs.push(parseSpec(part, key, value))
  }
  return { ...made, specs }
}

function readAttribute(made: Mutable<LearnAction>, key: string, value: string | undefined): boolean {
  if (value === undefined) {
    if (key !== 'send_flow_rem' && key !== 'delete_learned') return false
    made[key] = true
    return true
  }
  switch (key) {
    case 'table':
      made.table = parseUint(value, 8)
      return true
    case 'idle_timeout':
    case 'hard_timeout':
    case 'fin_idle_timeout':
    case 'fin_hard_timeout':
      if (parseUint(value, 16) !== 0) made[key] = parseUint(value, 16)
      return true
    case 'priority':
      if (parseUint(value, 16) !== 32768) made.priority = parseUint(value, 16)
      return true
    case 'cookie':
      if (parseNumber(value) !== 0n) made.cookie = parseNumber(value)
      return true
    case 'limit':
      if (parseUint(value, 32) !== 0) made.limit = parseUint(value, 32)
      return true
    case 'result_dst':
      made.result = parseSubfield(value)
      return true
    default:
      return false
  }
}

function parseSpec(part: string, key: string, value: string | undefined): LearnSpec {
  if (part.startsWith('output:')) return { kind: 'output', src: parseSubfield(part.slice('output:'.length)) }
  if (part.startsWith('load:')) return parseLoadSpec(part)
  const dst = parseSubfield(key)
  if (value === undefined) return { kind: 'match', dst, src: dst }
  if (fieldByText(value.replace(/\[.*$/, '')) !== undefined) return { kind: 'match', dst, src: sameWidth(dst, parseSubfield(value), part) }
  return { kind: 'match', dst, src: fits(dst, parseImmediate(dst, value, part), part) }
}

function parseImmediate(dst: Subfield, value: string, part: string): bigint {
  const field: Field | undefined = fieldByText(dst.field)
  if (field === undefined || dst.start !== 0 || dst.bits !== field.bits) return parseNumber(value)
  const written = parseFieldText(field, value)
  if (written.mask !== undefined) throw badValue(part, 'learn() takes no mask')
  return written.value
}

function parseLoadSpec(part: string): LearnSpec {
  const [left = '', right] = part.slice('load:'.length).split('->')
  if (right === undefined) throw new FlowError('bad-syntax', part, `"${part}": "->" is missing`)
  const dst = parseSubfield(right)
  if (/^\d/.test(left)) return { kind: 'load', dst, src: fits(dst, parseNumber(left), part) }
  return { kind: 'load', dst, src: sameWidth(dst, parseSubfield(left), part) }
}

function fits(dst: Subfield, value: bigint, part: string): bigint {
  if (value >> BigInt(dst.bits) !== 0n) throw badValue(part, `more than ${dst.bits} bits`)
  return value
}

/** A source named without bits takes as many as the destination has. */
function sameWidth(dst: Subfield, src: Subfield, part: string): Subfield {
  if (src.bits !== dst.bits) throw badValue(part, 'widths differ')
  return src
}
