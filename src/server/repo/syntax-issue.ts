import { type Document, type ErrorCode, isCollection, isScalar, visit, type YAMLError } from 'yaml'
import type { Issue } from '../../model/issue.ts'
import { placeAt, type Source } from './source.ts'

interface Wording {
  readonly code: string
  readonly message?: string
  readonly hint?: string
}

/** What the YAML library calls its errors, and what an operator reads. Without a message here, the library's own is shown. */
const WORDING: Readonly<Partial<Record<ErrorCode, Wording>>> = {
  TAB_AS_INDENT: { code: 'E0107', message: 'a tab is used as indentation', hint: 'YAML allows spaces only: replace the tab' },
  BAD_INDENT: { code: 'E0108', hint: 'line it up with its siblings' },
  BAD_ALIAS: { code: 'E0109' },
  ALIAS_PROPS: { code: 'E0109' },
  MULTIPLE_ANCHORS: { code: 'E0109' },
  TAG_RESOLVE_FAILED: { code: 'E0110', hint: 'tags are not used here: write the plain value' },
  MULTIPLE_TAGS: { code: 'E0110' },
  BAD_COLLECTION_TYPE: { code: 'E0110' },
  RESOURCE_EXHAUSTION: { code: 'E0112', message: 'nested too deeply' },
  BAD_DIRECTIVE: { code: 'E0118' },
  BLOCK_AS_IMPLICIT_KEY: {
    code: 'E0106',
    message: 'a second `key:` on one line',
    hint: 'start a new line, or quote the text if the colon belongs to it',
  },
  MULTILINE_IMPLICIT_KEY: { code: 'E0106', message: 'a key must stand on one line', hint: 'is a `:` missing at the end of a line above?' },
  BAD_SCALAR_START: { code: 'E0106', hint: 'quote the value' },
  BAD_DQ_ESCAPE: { code: 'E0106', hint: "use single quotes ('…') where backslashes are meant as they are" },
}

/** Messages of the library that have one code but several meanings. */
const BY_MESSAGE: readonly (readonly [RegExp, Partial<Wording>])[] = [
  [/^Missing closing "quote/, { message: 'a double quote is never closed', hint: 'add the closing "' }],
  [/^Missing closing 'quote/, { message: 'a single quote is never closed', hint: "add the closing '" }],
  [
    /end with a \]$/,
    {
      code: 'E0106',
      message: 'a [ is never closed',
      hint: 'add the closing ]; what is inside must be indented more than the line it starts on',
    },
  ],
  [
    /end with a \}$/,
    {
      code: 'E0106',
      message: 'a { is never closed',
      hint: 'add the closing }; what is inside must be indented more than the line it starts on',
    },
  ],
  [/^All mapping items must start at the same column/, { message: 'this key is not in the column of its siblings' }],
  [/^All sequence items must start at the same column/, { message: 'this item is not in the column of its siblings' }],
  [
    /^Block collections are not allowed within flow collections/,
    { message: 'a second `key:` without a comma before it', hint: 'separate the items between { } by commas' },
  ],
  [
    /^Implicit map keys need to be followed by map values/,
    { message: 'a key without `:`', hint: 'write `name: value`; a key needs a colon and a space' },
  ],
  [/^Missing , /, { message: 'a comma is missing', hint: 'items between [ ] or { } are separated by commas' }],
  [
    /^Nested mappings are not allowed in compact mappings/,
    { message: 'a second `key:` on one line', hint: 'start a new line, or quote the text if the colon belongs to it' },
  ],
  [/directives-end/, { code: 'E0118' }],
]

/** One of the library's errors or warnings as an issue, always an error. */
export function syntaxIssue(source: Source, document: Document.Parsed, error: YAMLError): Issue {
  const special = BY_MESSAGE.find(([pattern]) => pattern.test(error.message))?.[1]
  const wording: Wording = { code: 'E0106', ...WORDING[error.code], ...special }
  return {
    code: wording.code,
    severity: 'error',
    message: wording.message ?? lowerFirst(error.message),
    ...where(source, document, error),
    ...(wording.hint === undefined ? {} : { hint: wording.hint }),
  }
}

/** The library reports what is never closed where the file ends; the operator has to look where it was opened. */
function where(source: Source, document: Document.Parsed, error: YAMLError): Pick<Issue, 'place' | 'label'> {
  const [start, end] = error.pos
  const opened = /^Missing closing|end with a [\]}]$/.test(error.message) ? openedAt(source, document, start) : undefined
  if (opened !== undefined) return { place: placeAt(source, opened), label: 'opened here' }
  if (error.code !== 'BAD_INDENT') return { place: placeAt(source, start, end) }
  let first = start
  while (source.text[first] === ' ') first++
  return { place: placeAt(source, first) }
}

/** Offset of the innermost quote or bracket before `end` that has no closing partner. */
function openedAt(source: Source, document: Document.Parsed, end: number): number | undefined {
  let found: number | undefined
  const consider = (node: unknown): void => {
    const range = (isScalar(node) || isCollection(node)) && node.range
    if (!range || range[0] >= end || (found !== undefined && range[0] < found)) return
    const open = source.text[range[0]] ?? ''
    const close = { '[': ']', '{': '}', '"': '"', "'": "'" }[open]
    const closed = range[1] - range[0] > 1 && source.text[range[1] - 1] === close
    if (close !== undefined && !closed) found = range[0]
  }
  visit(document, { Node: (_, node) => consider(node) })
  return found
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}
