/** One source line prepared for a terminal, with the underlined part as columns of that text. */
export interface Snippet {
  readonly text: string
  readonly from: number
  readonly length: number
}

const TAB = 4
const ELLIPSIS = '…'

/**
 * The part of a line around the columns `col` to `endCol` (UTF-16 units from 1, end exclusive) that fits into `width` cells. Tabs become
 * spaces, wide characters count two cells, combining ones none, and what is left out shows as `…`.
 */
export function snippet(line: string, col: number, endCol: number, width: number): Snippet {
  const cells = toCells(line)
  const from = cells.findIndex((c) => c.unit >= col - 1)
  const first = from < 0 ? cells.length : from
  let last = first
  while (last < cells.length && (cells[last]?.unit ?? 0) < endCol - 1) last++
  const [start, stop] = window(cells, first, last, Math.max(width, 20))
  const shown = cells.slice(start, stop)
  const before = widthOf(cells.slice(start, first)) + (start > 0 ? 1 : 0)
  const marked = Math.max(1, widthOf(cells.slice(first, Math.min(last, stop))))
  const text = (start > 0 ? ELLIPSIS : '') + shown.map((c) => c.text).join('') + (stop < cells.length ? ELLIPSIS : '')
  return { text: text.trimEnd(), from: before, length: marked }
}

interface Cell {
  /** Index in the line, UTF-16. */
  readonly unit: number
  readonly text: string
  readonly width: number
}

function toCells(line: string): readonly Cell[] {
  const cells: Cell[] = []
  let column = 0
  let unit = 0
  for (const char of line) {
    const cell = toCell(char, unit, column)
    cells.push(cell)
    column += cell.width
    unit += char.length
  }
  return cells
}

function toCell(char: string, unit: number, column: number): Cell {
  const code = char.codePointAt(0) ?? 0
  if (char === '\t') {
    const width = TAB - (column % TAB)
    return { unit, text: ' '.repeat(width), width }
  }
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return { unit, text: '\ufffd', width: 1 }
  // Direction marks would turn the rest of the terminal's line around.
  if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) return { unit, text: '\ufffd', width: 1 }
  return { unit, text: char, width: /\p{Mn}|\p{Me}|\u200b|\u200d|\ufe0f/u.test(char) ? 0 : isWide(code) ? 2 : 1 }
}

/** East Asian wide and full-width ranges, and emoji (Unicode TR 11, the parts met in practice). */
function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  )
}

/** From the line's start if the mark fits there; else with some text before the mark. */
function window(cells: readonly Cell[], first: number, last: number, width: number): readonly [number, number] {
  const room = width - 2
  let start = 0
  if (widthOf(cells.slice(0, Math.min(last, first + room))) > room) {
    let lead = Math.floor(room / 3)
    start = first
    while (start > 0 && lead > 0) lead -= cells[--start]?.width ?? 1
  }
  let stop = start
  let used = 0
  while (stop < cells.length && used + (cells[stop]?.width ?? 1) <= room) used += cells[stop++]?.width ?? 1
  return [start, stop]
}

function widthOf(cells: readonly Cell[]): number {
  let sum = 0
  for (const cell of cells) sum += cell.width
  return sum
}
