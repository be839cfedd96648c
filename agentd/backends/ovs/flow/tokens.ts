import { FlowError } from './error.ts'

/** Parts of a text between separators that stand outside parentheses and brackets; empty parts are left out. */
export function splitOutside(text: string, separators: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i <= text.length; i++) {
    const c = text[i]
    if (c === '(' || c === '[') depth++
    else if (c === ')' || c === ']') depth--
    if (depth < 0) throw new FlowError('bad-syntax', text, `"${text}": a closing parenthesis too many`)
    if (c === undefined || (depth === 0 && separators.includes(c))) {
      if (i > start) parts.push(text.slice(start, i))
      start = i + 1
    }
  }
  if (depth !== 0) throw new FlowError('bad-syntax', text, `"${text}": a parenthesis is not closed`)
  return parts
}

/** `key=value`; without `=` the value is undefined. */
export function keyValue(text: string): { key: string; value: string | undefined } {
  const at = text.indexOf('=')
  return at < 0 ? { key: text, value: undefined } : { key: text.slice(0, at), value: text.slice(at + 1) }
}

/** `name`, `name:argument`, `name(inside)` and `name(inside)->target`. */
export interface Call {
  readonly name: string
  readonly argument?: string
  readonly inside?: string
  readonly target?: string
}

export function parseCall(text: string): Call {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:$|:(.*)$|\((.*)\)(?:->(.+))?$)/s.exec(text)
  if (match === null) throw new FlowError('unknown-action', text, `unknown action "${text}"`)
  const [, name = '', argument, inside, target] = match
  return {
    name,
    ...(argument === undefined ? {} : { argument }),
    ...(inside === undefined ? {} : { inside }),
    ...(target === undefined ? {} : { target }),
  }
}
