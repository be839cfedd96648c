/**
 * Text in columns. A cell is shown as it is; colour is put on afterwards by `paint`, so that widths are those of what is seen.
 */
export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** May be cut down to this many columns when the terminal is narrow; columns without it keep their width. */
  readonly least?: number
}

export interface TableStyle {
  /** Columns of the terminal; unlimited if left out. */
  readonly width?: number
  /** What stands for text cut off: `…` or, ASCII only, `...`. */
  readonly ellipsis?: string
  readonly paint?: (text: string, cell: { readonly row: number; readonly column: number }) => string
  /** Shown between columns. Default: two spaces. */
  readonly gap?: string
}

/** Lines without trailing spaces: titles first, unless they are all empty. `row` is -1 for titles. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[], style: TableStyle = {}): readonly string[] {
  const gap = style.gap ?? '  '
  const ellipsis = style.ellipsis ?? '…'
  const titles = columns.map((c) => c.title)
  const all = titles.some((title) => title !== '') ? [titles, ...rows] : rows
  const first = all.length - rows.length
  const widths = shrink(columns, all, (style.width ?? Number.POSITIVE_INFINITY) - textWidth(gap) * (columns.length - 1))
  return all.map((cells, at) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        const shown = cutText(cell, width, ellipsis)
        const pad = ' '.repeat(Math.max(0, width - textWidth(shown)))
        const painted = style.paint?.(shown, { row: at - first, column }) ?? shown
        if (columns[column]?.align === 'right') return pad + painted
        return cells.slice(column + 1).every((rest) => rest === '') ? painted : painted + pad
      })
      .join(gap)
      .trimEnd(),
  )
}

/** Widths of the content, the widest shrinkable column made narrower until the line fits, or nothing can shrink any more. */
function shrink(columns: readonly Column[], rows: readonly (readonly string[])[], room: number): readonly number[] {
  const widths = columns.map((_, column) => rows.reduce((widest, cells) => Math.max(widest, textWidth(cells[column] ?? '')), 0))
  for (let over = widths.reduce((sum, w) => sum + w, 0) - room; over > 0; ) {
    const spare = widths.map((w, i) => w - Math.min(w, columns[i]?.least ?? w))
    const most = spare.indexOf(Math.max(...spare))
    const cut = Math.min(over, spare[most] ?? 0)
    if (cut <= 0) break
    widths[most] = (widths[most] ?? 0) - cut
    over -= cut
  }
  return widths
}

/** Columns that a terminal gives to the text: two for wide East Asian characters and emoji, none for combining marks. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const char of text) width += /\p{M}|\u200d/u.test(char) ? 0 : WIDE.test(char) ? 2 : 1
  return width
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u

/** The text within `width` columns, its end replaced by `ellipsis` where it is too long. */
export function cutText(text: string, width: number, ellipsis: string): string {
  if (textWidth(text) <= width) return text
  const room = Math.max(0, width - textWidth(ellipsis))
  let used = 0
  let kept = ''
  for (const char of text) {
    used += textWidth(char)
    if (used > room) break
    kept += char
  }
  return kept + cutEllipsis(ellipsis, width)
}

function cutEllipsis(ellipsis: string, width: number): string {
  return ellipsis.slice(0, Math.max(0, width))
}

/** Names come from files and commits: a newline or an escape sequence in one must not write into the terminal. */
export function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** ASCII only: everything else becomes `?`. */
export function ascii(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: printable ASCII and line ends are what stays
  return text.replace(/[^\x0a\x20-\x7e]/gu, '?')
}
