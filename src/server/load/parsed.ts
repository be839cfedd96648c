import type { Json } from '../../model/brand.ts'
import type { Issue, Place, ValuePath } from '../../model/issue.ts'

/** One YAML file as plain data: what reading makes and loading takes. Holds no syntax tree and can cross a thread. */
export interface ParsedFile {
  /** Relative to the repo, with `/`. */
  readonly path: string
  readonly bytes: number
  readonly documents: readonly ParsedDocument[]
  readonly issues: readonly Issue[]
}

export interface ParsedDocument {
  /** 0 for the first document of the file. */
  readonly index: number
  /** The document has syntax errors: what could be made out of it is incomplete, and echoes of the errors are not worth reporting. */
  readonly broken: boolean
  readonly sections: readonly ParsedSection[]
}

/** One top-level key and what stands under it. */
export interface ParsedSection {
  readonly key: string
  readonly place: Place
  /** The members when the value is a map; names are the text as it was typed (`10:` is "10", `007:` is "007"). */
  readonly entries?: readonly ParsedEntry[]
  /** The value when it is no map. */
  readonly value?: Json
}

export interface ParsedEntry {
  readonly name: string
  readonly value: Json
  readonly place: Place
}

/**
 * Finds the place of a path inside one document of the file (`[section, name, ...value path]`). `key` points at the last key itself, `value` at
 * what it holds; where the path ends early, at the key of the deepest part that exists. `near` is where the resource's name stands, if known:
 * then only the lines of that resource are read again.
 */
export type LocateInFile = (document: number, path: ValuePath, what: 'key' | 'value', near?: Place) => Place | undefined
