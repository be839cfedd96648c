import { badValue, FlowError } from './error.ts'
import { fieldByText } from './fields.ts'
import type { Subfield } from './types.ts'

/** `NXM_NX_REG0[4..7]`, `reg0[4]`, `reg0[]`, `reg0`. */
export function parseSubfield(text: string): Subfield {
  const match = /^([A-Za-z]\w*)(?:\[(?:(\d+)(?:\.\.(\d+))?)?\])?$/.exec(text.trim())
  if (match === null) throw new FlowError('bad-syntax', text, `"${text}" is not a field with bits`)
  const [, name = '', from, to] = match
  const field = fieldByText(name)
  if (field === undefined) throw new FlowError('unknown-action', text, `unknown field "${name}"`)
  if (from === undefined) return { field: field.name, start: 0, bits: field.bits }
  const start = Number(from)
  const end = to === undefined ? start : Number(to)
  if (end < start || end >= field.bits) throw badValue(text, `${field.name} has ${field.bits} bits`)
  return { field: field.name, start, bits: end - start + 1 }
}
