import { isUtf8 } from 'node:buffer'
import type { Issue, Place } from '../../model/issue.ts'

/** The text of one file with the offset at which each line starts. A byte-order mark is cut off; offsets are UTF-16 units. */
export interface Source {
  readonly path: string
  readonly text: string
  readonly lines: readonly number[]
}

export function makeSource(path: string, text: string): Source {
  return { path, text, lines: lineStarts(text) }
}

function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** The place from offset `start` to offset `end`, cut at the end of its first line and at least one column wide. */
export function placeAt(source: Source, start: number, end: number = start + 1): Place {
  const from = Math.max(0, Math.min(start, source.text.length))
  const line = lineOf(source.lines, from)
  const first = source.lines[line] ?? 0
  const next = source.lines[line + 1] ?? source.text.length + 1
  const stop = Math.max(from + 1, Math.min(end, next - 1))
  return { file: source.path, line: line + 1, col: from - first + 1, endCol: stop - first + 1 }
}

/** Index of the line that holds the offset. */
function lineOf(lines: readonly number[], offset: number): number {
  let low = 0
  let high = lines.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((lines[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low
}

export type Decoded = { readonly text: string } | { readonly issue: Issue }

/** Bytes to text. UTF-8 with or without a byte-order mark, and nothing else: a wrong guess would silently change names. */
export function decode(path: string, bytes: Uint8Array): Decoded {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { issue: encodingIssue(path, 'the file is UTF-16 (little endian)', 'UTF-16') }
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { issue: encodingIssue(path, 'the file is UTF-16 (big endian)', 'UTF-16') }
  if (isUtf8(bytes)) return { text: new TextDecoder().decode(bytes) }
  return {
    issue: { ...encodingIssue(path, 'the file is not valid UTF-8', 'ISO-8859-1'), place: firstBadByte(path, bytes), label: 'this byte' },
  }
}

/** `from`: what iconv is to read; for UTF-16 it takes the byte order from the mark. */
function encodingIssue(path: string, message: string, from: 'UTF-16' | 'ISO-8859-1'): Issue {
  const place = { file: path, line: 1, col: 1, endCol: 2 }
  return { code: 'E0103', severity: 'error', message, place, hint: `save it as UTF-8, e.g. iconv -f ${from} -t UTF-8 ${path}` }
}

function firstBadByte(path: string, bytes: Uint8Array): Place {
  let line = 1
  let start = 0
  for (;;) {
    const newline = bytes.indexOf(0x0a, start)
    const end = newline < 0 ? bytes.length : newline
    const slice = bytes.subarray(start, end)
    if (!isUtf8(slice) || newline < 0) {
      const col = new TextDecoder('utf-8').decode(slice).indexOf('\ufffd') + 1
      return { file: path, line, col: Math.max(1, col), endCol: Math.max(1, col) + 1 }
    }
    line++
    start = newline + 1
  }
}

/**
 * What is wrong with the text before YAML is asked: conflict markers, control characters (a file cut by a crash is often filled with NUL), lone
 * carriage returns.
 */
export function inspect(source: Source): Issue | undefined {
  return conflictMarkers(source) ?? controlCharacter(source)
}

function conflictMarkers(source: Source): Issue | undefined {
  const { text } = source
  const start = text.startsWith('<<<<<<< ') ? 0 : text.indexOf('\n<<<<<<< ') + 1
  if (start === 0 && !text.startsWith('<<<<<<< ')) return undefined
  const end = text.indexOf('\n>>>>>>> ', start) + 1
  const related = end > 0 ? [{ message: 'to here', place: placeAt(source, end, end + 7) }] : []
  return {
    code: 'E0119',
    severity: 'error',
    message: 'the file holds an unresolved merge conflict',
    place: placeAt(source, start, start + 7),
    label: 'from here',
    related,
    hint: 'resolve it: keep one side, remove the marker lines',
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]|\r(?!\n)/

function controlCharacter(source: Source): Issue | undefined {
  const at = source.text.search(CONTROL)
  if (at < 0) return undefined
  const code = source.text.charCodeAt(at)
  const lone = code === 13
  return {
    code: 'E0105',
    severity: 'error',
    message: lone ? 'a carriage return without a line feed' : `control character U+${code.toString(16).toUpperCase().padStart(4, '0')}`,
    place: placeAt(source, at),
    hint: lone
      ? 'save the file with Unix (or Windows) line ends'
      : code === 0
        ? 'the file was probably cut short by a crash: restore it'
        : 'remove it, or write it as an escape in double quotes',
  }
}

/** Deeper than this no value of ours can be; the YAML parser's own recursion stands several times as much. */
const DEEPEST = 500

/** Nesting so deep that it can only be an attack on the parser's stack. Counts openers without looking at quotes: over-strict only for text with 500 unmatched brackets, or a line indented by 1,000. */
export function tooDeep(source: Source): Issue | undefined {
  const { text } = source
  let depth = 0
  let run = 0
  let indent = 0
  let leading = true
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x5b || c === 0x7b) depth++
    else if ((c === 0x5d || c === 0x7d) && depth > 0) depth--
    else if (c === 0x0a) {
      run = indent = 0
      leading = true
      continue
    }
    if (c === 0x20) {
      if (leading) indent++
    } else {
      leading = false
      const indicator = (c === 0x2d || c === 0x3f || c === 0x3a) && text.charCodeAt(i + 1) === 0x20
      run = indicator ? run + 1 : 0
    }
    if (depth > DEEPEST || run > DEEPEST || indent > 2 * DEEPEST) return deepIssue(source, i)
  }
  return undefined
}

export function deepIssue(source: Source, at: number): Issue {
  return {
    code: 'E0112',
    severity: 'error',
    message: 'nested too deeply',
    place: placeAt(source, at),
    hint: 'no attribute needs more than a few levels: look for a bracket that is never closed',
  }
}
