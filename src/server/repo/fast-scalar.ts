import type { Json } from '../../model/brand.ts'

/** A place in the text; reading functions move `at` past what they took, or answer undefined, and then the whole attempt is off. */
export interface Cursor {
  readonly text: string
  at: number
}

const SAFE = 'A-Za-z0-9_/.+()=@\\u00a1-\\ufefe-'
const FIRST = '(?:[A-Za-z0-9_/.+\\u00a1-\\ufefe]|-(?=[A-Za-z0-9.]))'
const BLOCK_PLAIN = new RegExp(`${FIRST}(?:[${SAFE},]|:(?=[${SAFE}:])| +(?=[${SAFE},]))*`, 'y')
const FLOW_PLAIN = new RegExp(`${FIRST}(?:[${SAFE}]|:(?=[${SAFE}:])| +(?=[${SAFE}]))*`, 'y')
const KEY = /[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}(?=:(?: |\n|$))/y

const INTEGER = /^(?:0|[1-9][0-9]{0,14})$/
/** Everything that the core schema or our own warnings take for more than text, and starts like a number. */
const NUMERIC =
  /^[-+]?(?:0[xo][0-9a-fA-F]+|\.(?:inf|Inf|INF|nan|NaN|NAN)|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*(?::[0-5]?[0-9])+)$/
const WORD = /^(?:null|Null|NULL|true|True|TRUE|false|False|FALSE|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/

/** An ordinary key with its colon; the cursor stands behind the colon then. */
export function fastKey(cursor: Cursor): string | undefined {
  KEY.lastIndex = cursor.at
  const key = KEY.exec(cursor.text)?.[0]
  if (key === undefined || key === '__proto__') return undefined
  cursor.at += key.length + 1
  return key
}

/** Flow collections inside each other; deeper ones are left to the library and its limit. */
const MAX_FLOW = 16

/** A value that stands on one line: plain or quoted text, a number, true or false, a flow collection; `flow` says in how many it stands. */
export function fastInline(cursor: Cursor, flow: number): Json | undefined {
  switch (cursor.text.charCodeAt(cursor.at)) {
    case 0x7b:
      return flow > MAX_FLOW ? undefined : flowMap(cursor, flow + 1)
    case 0x5b:
      return flow > MAX_FLOW ? undefined : flowList(cursor, flow + 1)
    case 0x22:
      return quoted(cursor, '"')
    case 0x27:
      return quoted(cursor, "'")
    default:
      return plainText(cursor, flow > 0 ? FLOW_PLAIN : BLOCK_PLAIN)
  }
}

function plainText(cursor: Cursor, pattern: RegExp): Json | undefined {
  pattern.lastIndex = cursor.at
  const text = pattern.exec(cursor.text)?.[0]
  if (text === undefined) return undefined
  cursor.at += text.length
  const first = text.charCodeAt(0)
  const letter = first > 0x39 && first !== 0x5f
  if (letter) {
    if (text.length > 5 || !WORD.test(text)) return text
    return text === 'true' ? true : text === 'false' ? false : undefined
  }
  if (INTEGER.test(text)) return Number(text)
  return NUMERIC.test(text) ? undefined : text
}

/** Without escapes and on one line. */
function quoted(cursor: Cursor, quote: string): string | undefined {
  const end = cursor.text.indexOf(quote, cursor.at + 1)
  if (end < 0 || cursor.text[end + 1] === quote) return undefined
  const text = cursor.text.slice(cursor.at + 1, end)
  if (text.includes('\n') || (quote === '"' && text.includes('\\'))) return undefined
  cursor.at = end + 1
  return text
}

function flowMap(cursor: Cursor, flow: number): Json | undefined {
  const out: Record<string, Json> = {}
  if (opensEmpty(cursor, 0x7d)) return out
  for (;;) {
    skipSpaces(cursor)
    const key = fastKey(cursor)
    if (key === undefined || Object.hasOwn(out, key)) return undefined
    skipSpaces(cursor)
    const value = fastInline(cursor, flow)
    if (value === undefined) return undefined
    out[key] = value
    const ended = endOfItem(cursor, 0x7d)
    if (ended !== false) return ended === true ? out : undefined
  }
}

function flowList(cursor: Cursor, flow: number): Json | undefined {
  const out: Json[] = []
  if (opensEmpty(cursor, 0x5d)) return out
  for (;;) {
    skipSpaces(cursor)
    const value = fastInline(cursor, flow)
    if (value === undefined) return undefined
    out.push(value)
    const ended = endOfItem(cursor, 0x5d)
    if (ended !== false) return ended === true ? out : undefined
  }
}

function opensEmpty(cursor: Cursor, close: number): boolean {
  cursor.at++
  skipSpaces(cursor)
  if (cursor.text.charCodeAt(cursor.at) !== close) return false
  cursor.at++
  return true
}

/** True behind the closing bracket, false behind a comma, undefined at anything else. */
function endOfItem(cursor: Cursor, close: number): boolean | undefined {
  skipSpaces(cursor)
  const c = cursor.text.charCodeAt(cursor.at)
  if (c !== close && c !== 0x2c) return undefined
  cursor.at++
  return c === close
}

export function skipSpaces(cursor: Cursor): void {
  while (cursor.text.charCodeAt(cursor.at) === 0x20) cursor.at++
}
