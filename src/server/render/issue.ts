import { count, listed } from '../../lib/text.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Issue, Place } from '../../model/issue.ts'
import { snippet } from './snippet.ts'

/** The colours that are used; `picocolors` fits. */
export interface Palette {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  yellow(text: string): string
  cyan(text: string): string
  blue(text: string): string
}

export interface IssueStyle {
  /** Left out: no colour. */
  readonly color?: Palette
  /** Columns of the terminal; 120 if left out. */
  readonly width?: number
  /** Issues shown; the others are counted. All if left out. */
  readonly limit?: number
}

const PLAIN: Palette = { bold: same, dim: same, red: same, yellow: same, cyan: same, blue: same }

function same(text: string): string {
  return text
}

/**
 * Issues as text, in the order given, with a blank line between them and a newline at the end; empty text for none. `readFile` gives the
 * text of a file of the repo as it was read, undefined when it cannot be had: the issue is then shown without its line.
 */
export function renderIssues(issues: readonly Issue[], readFile: (path: string) => string | undefined, style: IssueStyle = {}): string {
  const files = new Map<string, readonly string[]>()
  const lines = (path: string) => {
    let known = files.get(path)
    if (known === undefined) {
      known =
        readFile(path)
          ?.replace(/^\ufeff/, '')
          .split(/\r?\n/) ?? []
      files.set(path, known)
    }
    return known
  }
  const shown = issues.slice(0, style.limit)
  const blocks = shown.map((issue) => renderIssue(issue, lines, style.color ?? PLAIN, style.width ?? 120))
  if (shown.length < issues.length) blocks.push(`… and ${summariseIssues(issues.slice(shown.length))} more\n`)
  return blocks.join('\n')
}

/** `2 errors and 1 warning`; `no errors` for none. */
export function summariseIssues(issues: readonly Issue[]): string {
  const parts = (['error', 'warning', 'note'] as const).flatMap((severity) => {
    const n = issues.filter((i) => i.severity === severity).length
    return n === 0 ? [] : [count(n, severity)]
  })
  return parts.length === 0 ? 'no errors' : listed(parts)
}

function renderIssue(issue: Issue, lines: (path: string) => readonly string[], color: Palette, width: number): string {
  const tint = issue.severity === 'error' ? color.red : issue.severity === 'warning' ? color.yellow : color.cyan
  const marks = [
    ...(issue.place ? [{ place: issue.place, label: issue.label, tint, mark: '^' }] : []),
    ...(issue.related ?? []).map((r) => ({ place: r.place, label: r.message, tint: color.blue, mark: '-' })),
  ]
  const gutter = Math.max(1, ...marks.map((m) => String(m.place?.line ?? 0).length))
  const out = [`${tint(color.bold(`${issue.severity}[${issue.code}]`))}${color.bold(`: ${oneLine(issue.message)}`)}`]
  for (const { place, label, tint, mark } of marks) {
    if (place === undefined) out.push(`${' '.repeat(gutter)}${color.dim(' = ')}${oneLine(label ?? '')}`)
    else out.push(...renderPlace(place, lines(place.file), { gutter, width, color, tint, mark, label }))
  }
  if (issue.hint !== undefined) out.push(`${' '.repeat(gutter)}${color.dim(' = ')}${color.bold('help:')} ${oneLine(issue.hint)}`)
  return `${out.join('\n')}\n`
}

interface Mark {
  readonly gutter: number
  readonly width: number
  readonly color: Palette
  readonly tint: (text: string) => string
  readonly mark: string
  readonly label: string | undefined
}

function renderPlace(place: Place, lines: readonly string[], { gutter, width, color, tint, mark, label }: Mark): string[] {
  const empty = ' '.repeat(gutter)
  const head = `${empty} ${color.dim('┌─')} ${place.file}:${place.line}:${place.col}`
  const line = lines[place.line - 1]
  if (line === undefined) return label === undefined ? [head] : [head, `${empty} ${color.dim('=')} ${oneLine(label)}`]
  const shown = snippet(line, place.col, place.endCol ?? place.col + 1, width - gutter - 2)
  const under = `${' '.repeat(shown.from)}${tint(mark.repeat(shown.length))}${label === undefined ? '' : ` ${tint(oneLine(label))}`}`
  return [head, `${color.dim(`${String(place.line).padStart(gutter)} │`)} ${shown.text}`, `${color.dim(`${empty} │`)} ${under}`]
}

/** Names come from files: a newline or an escape in one must not write into the terminal. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** The issue as machines read it; absent members are left out. */
export function issueJson(issue: Issue): JsonObject {
  return {
    code: issue.code,
    severity: issue.severity,
    message: issue.message,
    ...placeJson(issue.place),
    ...(issue.label === undefined ? {} : { label: issue.label }),
    ...(issue.related === undefined ? {} : { related: issue.related.map((r) => ({ message: r.message, ...placeJson(r.place) })) }),
    ...(issue.hint === undefined ? {} : { hint: issue.hint }),
  }
}

function placeJson(place: Place | undefined): JsonObject {
  if (place === undefined) return {}
  const { file, line, col, endCol } = place
  return { file, line, column: col, ...(endCol === undefined ? {} : { end_column: endCol }) }
}
