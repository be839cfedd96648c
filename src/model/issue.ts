import { compareText } from './key.ts'

/** Where something stands in the repo. Lines and columns count from 1; `endCol` is exclusive. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly col: number
  readonly endCol?: number
}

/** A path inside one resource's YAML value, e.g. `['fixed_ips', 0, 'ip_address']`. Empty = the resource's name itself. */
export type ValuePath = readonly (string | number)[]

/** A second place that belongs to the mistake: the other culprit. */
export interface Related {
  readonly message: string
  readonly place?: Place
}

/**
 * An operator's mistake, as a value. All of them are collected and sorted, none is thrown.
 * `code` is stable, means one thing, and begins with the letter of its severity (`E0203`, `W0210`, `N0160`); nobody matches on `message`.
 */
export interface Issue {
  readonly code: string
  readonly severity: 'error' | 'warning' | 'note'
  /** One line, what is wrong: names the resource and the value. */
  readonly message: string
  readonly place?: Place
  /** Said under the caret. */
  readonly label?: string
  readonly related?: readonly Related[]
  /** The fix, as something to type or do. */
  readonly hint?: string
}

/** A rule's finding inside a kind: a path in the value instead of a place; the engine joins the place. */
export interface Finding {
  readonly code: string
  readonly severity?: 'error' | 'warning' | 'note'
  readonly message: string
  readonly at?: ValuePath
  readonly label?: string
  /** Other resources that take part: the engine turns (key, path) into a place. */
  readonly related?: readonly { readonly message: string; readonly key: string; readonly at?: ValuePath }[]
  readonly hint?: string
}

export function hasErrors(issues: readonly Issue[]): boolean {
  return issues.some((i) => i.severity === 'error')
}

/** File, line, column, code: the order in which issues are always shown. */
export function compareIssues(a: Issue, b: Issue): number {
  return (
    compareText(a.place?.file ?? '', b.place?.file ?? '') ||
    (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
    (a.place?.col ?? 0) - (b.place?.col ?? 0) ||
    compareText(a.code, b.code) ||
    compareText(a.message, b.message)
  )
}
