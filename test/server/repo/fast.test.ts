import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { parseFast } from '../../../src/server/repo/fast.ts'
import { parseByLibrary } from '../../../src/server/repo/parse.ts'
import { inspect, makeSource, tooDeep } from '../../../src/server/repo/source.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const RUNS = process.env['NETLOOM_LONG'] === '1' ? 30_000 : 3_000

/** Whatever the fast reader answers, the library must say the same. True when it did so without the library's help. */
function agrees(t: { deepEqual(a: unknown, b: unknown, message?: string): void }, text: string): boolean {
  const source = makeSource('f.yaml', text)
  // The library is never asked about text that looks like an attack on its stack, brackets in comments included.
  if ((inspect(source) ?? tooDeep(source)) !== undefined) return false
  let hard = 0
  const fast = parseFast('f.yaml', text, (part) => {
    hard++
    return parseByLibrary(makeSource('f.yaml', part))
  })
  if (fast === undefined) return false
  t.deepEqual({ documents: [fast.document], issues: fast.issues }, parseByLibrary(source), text)
  return hard === 0
}

const tame = fc.constantFrom('web-1', 'blue', 'h1', 'fixed_ips', '10.0.0.1', 'fd00::11', 'ünï', 'a b', 'a,b', 'fa:16:3e:00:00:01')
const wild = fc.constantFrom(
  'web-1',
  'blue',
  'h1',
  '10',
  '1.10',
  'on',
  'null',
  'true',
  'ünï',
  '10.0.0.1',
  '10.0.0.0/24',
  'fd00::11',
  'fd00::/64',
  'fa:16:3e:00:00:01',
  '00:11:22:33:44:55',
  '007',
  '5',
  '-5',
  '1e3',
  '0x1F',
  '.5',
  '~',
  '',
  'a b',
  'a  b',
  'yes',
  "it's",
  'a:b',
  'a: b',
  'a #b',
  'a#b',
  '#',
  '- a',
  '-',
  '---',
  '...',
  '__proto__',
  '<<',
  'constructor',
  '*x',
  '&x',
  '!x',
  '@x',
  '%x',
  '|',
  '>',
  'a,b',
  '[',
  ']',
  '{',
  '}',
  '"',
  '\\',
  '☃',
  '𝕏',
  'x'.repeat(300),
  '2024-01-01',
  '1_000',
  '+5',
  '=',
  '?',
  'a?',
  ': x',
)
const word = fc.oneof({ weight: 40, arbitrary: tame }, { weight: 1, arbitrary: wild })
const name = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom('web-1', 'blue', 'h1', 'fixed_ips', '10.0.0.1', 'h-7', 'on') },
  { weight: 1, arbitrary: wild },
)
const leaf = fc.oneof(
  { weight: 100, arbitrary: word },
  { weight: 40, arbitrary: fc.nat() },
  { weight: 20, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: fc.oneof(fc.constant(null), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })) },
)
const flat = fc.dictionary(name, leaf, { maxKeys: 3 })
const list = fc.array(
  fc.oneof({ weight: 9, arbitrary: leaf }, { weight: 9, arbitrary: flat }, { weight: 1, arbitrary: fc.array(leaf, { maxLength: 2 }) }),
  { maxLength: 3 },
)
const value = fc.oneof(leaf, flat, list, fc.dictionary(name, fc.oneof(leaf, list, flat), { maxKeys: 3 }))

test('what the library writes is read alike', (t) => {
  t.timeout(600_000)
  let fast = 0
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('ports', 'networks', 'project'), fc.dictionary(name, value, { minKeys: 1, maxKeys: 4 }), {
        minKeys: 1,
      }),
      fc.integer({ max: 3, min: 0 }),
      (data, flow) => {
        const text = stringify(data, { collectionStyle: flow === 0 ? 'flow' : 'block', lineWidth: 0 })
        if (agrees(t, text)) fast++
      },
    ),
    { numRuns: RUNS },
  )
  t.true(fast > RUNS / 20, `only ${fast} of ${RUNS} were read by the fast reader: the test says little`)
})

// Lines put together at random, most of them wrong: what one reader makes of them the other must, or give up.
const line = fc
  .tuple(
    fc.constantFrom(0, 0, 2, 2, 4, 4, 1, 3, 6),
    fc.constantFrom('', '', '- ', '- - ', '-'),
    fc.constantFrom('', 'a', 'b', 'ports', 'web-1', '"q"'),
    fc.constantFrom(':', ': ', ':  ', '', ' :'),
    fc.oneof(
      word,
      fc.constantFrom(
        '{ a: 1, b: x }',
        '{}',
        '[]',
        '[a, b]',
        '[a b, 5]',
        '{a: 1}',
        '{a:1}',
        '[ {a: b}, [c] ]',
        '[a,]',
        '{ a: [b, {c: d}] }',
        '"x y"',
        "'x'",
        '# comment',
        '',
        '',
        '"a" x',
      ),
    ),
    fc.constantFrom('', '', '', ' ', ' # c', '#c', '  '),
  )
  .map(([indent, dash, key, colon, rest, tail]) => `${' '.repeat(indent)}${dash}${key}${colon}${rest}${tail}`)

test('lines at random are read alike', (t) => {
  t.timeout(600_000)
  let fast = 0
  fc.assert(
    fc.property(
      fc.array(line, { minLength: 1, maxLength: 7 }),
      fc.constantFrom('ports:\n', 'a: 1\n', '---\n', '', '# c\n\n'),
      fc.constantFrom('\n', ''),
      (lines, head, tail) => {
        if (agrees(t, head + lines.join('\n') + tail)) fast++
      },
    ),
    { numRuns: RUNS * 3 },
  )
  t.true(fast > 20, `only ${fast} were read by the fast reader`)
})

test('real files with a few characters changed are read alike', (t) => {
  t.timeout(600_000)
  const samples = [`${ROOT}samples`, `${ROOT}test/server/load/cases`].flatMap((dir) =>
    readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .filter((p) => p.endsWith('.yaml'))
      .map((p) => readFileSync(`${dir}/${p}`, 'utf8'))
      .filter((text) => text.length < 4000),
  )
  const edit = fc.tuple(
    fc.nat(),
    fc.nat(3),
    fc.constantFrom(
      '',
      ' ',
      '\n',
      ':',
      ': ',
      '- ',
      '-',
      '{',
      '}',
      '[',
      ']',
      ',',
      '#',
      ' #',
      '"',
      "'",
      'x',
      '  ',
      '\n  ',
      '&a',
      '*a',
      '!',
      '|',
      '0',
      '~',
    ),
  )
  let fast = 0
  fc.assert(
    fc.property(fc.constantFrom(...samples), fc.array(edit, { maxLength: 3 }), (sample, edits) => {
      const text = edits.reduce(
        (s, [at, gone, put]) => s.slice(0, at % (s.length + 1)) + put + s.slice((at % (s.length + 1)) + gone),
        sample,
      )
      if (agrees(t, text)) fast++
    }),
    { numRuns: RUNS },
  )
  t.true(fast > RUNS / 20, `only ${fast} of ${RUNS} were read by the fast reader`)
})

test('the plain style of large repos is read fast', (t) => {
  t.true(
    agrees(
      t,
      'project: shop\nports:\n  web-1: { network: blue, host: h1, fixed_ips: [{ ip_address: 10.0.0.1 }], security_groups: [web] } # x\n\n  web-2:\n    network: blue\n    fixed_ips:\n      - ip_address: fd00::1\n        subnet: v6\n    security_groups:\n    - web\nnetworks:\n  blue:\n  red: {}\n',
    ),
  )
})
