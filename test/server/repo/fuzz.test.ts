import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import fc from 'fast-check'
import { hasErrors } from '../../../src/model/issue.ts'
import { renderIssues } from '../../../src/server/render/issue.ts'
import { fileLocator } from '../../../src/server/repo/locate.ts'
import { parseFile } from '../../../src/server/repo/parse.ts'
import { LOADER } from './harness.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const RUNS = process.env['NETLOOM_LONG'] === '1' ? 30_000 : 1_500

interface Asserts {
  true(value: boolean, message?: string): void
  is(a: unknown, b: unknown, message?: string): void
}

/** Whatever the bytes: no crash, every issue has a place inside the file and can be shown, and nothing is read as nothing without an error. */
function survives(t: Asserts, bytes: Uint8Array): void {
  const shown = Buffer.from(bytes).toString('latin1')
  const parsed = parseFile('f.yaml', bytes)
  const loaded = LOADER.load(parsed, 'h', fileLocator('f.yaml', bytes).inDocument)
  const lines = Buffer.from(bytes).toString('utf8').split('\n')
  for (const { code, place, related } of loaded.issues) {
    t.true(
      place !== undefined && place.line >= 1 && place.line <= lines.length,
      `${code} has no place: ${JSON.stringify(place)} in ${shown}`,
    )
    for (const other of related ?? []) t.true(other.place === undefined || other.place.line <= lines.length)
    t.true((place?.col ?? 0) >= 1 && (place?.endCol ?? 2) > (place?.col ?? 1), shown)
  }
  for (const { place } of loaded.entries) t.true(place.line <= lines.length && place.col <= (lines[place.line - 1] ?? '').length, shown)
  t.is(renderIssues(loaded.issues, () => Buffer.from(bytes).toString('utf8')) === '', loaded.issues.length === 0)
  const something = parsed.documents.some((d) => d.sections.some((s) => s.key !== 'project'))
  t.true(loaded.entries.length > 0 || something || hasErrors(loaded.issues), `read as nothing, without an error: ${shown}`)
  const again = LOADER.load(JSON.parse(JSON.stringify(parsed)), 'h', fileLocator('f.yaml', bytes).inDocument)
  t.is(JSON.stringify(again), JSON.stringify(loaded))
}

test('random bytes', (t) => {
  t.timeout(600_000)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => survives(t, bytes)),
    { numRuns: RUNS },
  )
})

const soup = fc.array(
  fc.constantFrom(
    'ports',
    ':',
    ': ',
    '\n',
    '\n  ',
    '\n    ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    ',',
    '&a ',
    '*a',
    '!t ',
    '!!str ',
    '|',
    '>',
    '%YAML 1.1\n',
    '---\n',
    '...\n',
    '#',
    ' # ',
    '"',
    "'",
    '\\',
    '? ',
    '<<',
    '\t',
    '\r\n',
    '\ufeff',
    '~',
    'null',
    '0100',
    'networks',
    'blue',
    'mtu',
    '1',
    'ü',
    '𝕏',
    '\u0000',
    '@',
    '`',
    '=',
  ),
  { maxLength: 25 },
)

test('YAML words in any order', (t) => {
  t.timeout(600_000)
  fc.assert(
    fc.property(soup, (words) => survives(t, Buffer.from(words.join('')))),
    { numRuns: RUNS * 2 },
  )
})

test('real files, cut off anywhere and with bytes changed', (t) => {
  t.timeout(600_000)
  const samples = [`${ROOT}samples`, `${ROOT}test/server/load/cases`].flatMap((dir) =>
    readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .filter((p) => /\.ya?ml$/.test(p))
      .map((p) => readFileSync(`${dir}/${p}`))
      .filter((bytes) => bytes.length < 3000),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.nat(),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      (sample, cut, changes) => {
        const bytes = Buffer.from(sample.subarray(0, cut % (sample.length + 1)))
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
        survives(t, bytes)
      },
    ),
    { numRuns: RUNS },
  )
})
