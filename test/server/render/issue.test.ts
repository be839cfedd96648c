import test from 'ava'
import pc from 'picocolors'
import type { Issue } from '../../../src/model/issue.ts'
import { issueJson, renderIssues, summariseIssues } from '../../../src/server/render/issue.ts'

const FILES: Readonly<Record<string, string>> = {
  'nets/db.yaml': `networks:\n${'\n'.repeat(15)}  db:\n    cidr: 10.20.0.0/23\n`,
  'nets/web.yaml': 'a:\n\n\n\n\n\n\n  web:\n    cidr: 10.20.1.0/24\n',
  'wide.yaml': 'ports:\n\t網路: { x: "ab\u0301" } # 😀\n',
}
const read = (path: string) => FILES[path]

const OVERLAP: Issue = {
  code: 'E0203',
  severity: 'error',
  message: 'subnet overlaps another on the same router',
  place: { file: 'nets/db.yaml', line: 18, col: 11, endCol: 23 },
  label: 'covers 10.20.1.0/24',
  related: [{ message: 'first declared here (router r-core)', place: { file: 'nets/web.yaml', line: 9, col: 11, endCol: 23 } }],
  hint: 'use 10.20.0.0/24, or detach one subnet from r-core',
}

test('an error with both culprits and a hint', (t) => {
  t.is(
    renderIssues([OVERLAP], read),
    `error[E0203]: subnet overlaps another on the same router
   ┌─ nets/db.yaml:18:11
18 │     cidr: 10.20.0.0/23
   │           ^^^^^^^^^^^^ covers 10.20.1.0/24
   ┌─ nets/web.yaml:9:11
 9 │     cidr: 10.20.1.0/24
   │           ------------ first declared here (router r-core)
   = help: use 10.20.0.0/24, or detach one subnet from r-core
`,
  )
})

test('tabs, wide and combining characters are pointed at where the terminal shows them', (t) => {
  const at = (col: number, endCol: number): Issue => ({
    code: 'E1',
    severity: 'warning',
    message: 'm',
    place: { file: 'wide.yaml', line: 2, col, endCol },
  })
  t.is(
    renderIssues([at(2, 4), at(12, 15)], read),
    `warning[E1]: m
  ┌─ wide.yaml:2:2
2 │     網路: { x: "ab\u0301" } # 😀
  │     ^^^^

warning[E1]: m
  ┌─ wide.yaml:2:12
2 │     網路: { x: "ab\u0301" } # 😀
  │                 ^^
`,
  )
})

test('a long line is cut around the mark, also when the mark is longer than the terminal', (t) => {
  const line = `${'a'.repeat(300)}MARK${'b'.repeat(300)}`
  const render = (col: number, endCol: number) =>
    renderIssues([{ code: 'E1', severity: 'error', message: 'm', place: { file: 'f', line: 1, col, endCol } }], () => line, {
      width: 40,
    }).split('\n')
  t.deepEqual(render(301, 305).slice(2, 4), ['1 │ …aaaaaaaaaaaMARKbbbbbbbbbbbbbbbbbbbb…', '  │             ^^^^'])
  for (const text of render(1, 605)) t.true(text.length <= 40, text)
})

test('without the file, without a place, with several documents of trouble: still told', (t) => {
  const bare: Issue = { code: 'E1', severity: 'note', message: 'no place', related: [{ message: 'nor here' }], hint: 'h' }
  t.is(
    renderIssues([{ ...OVERLAP, hint: 'x' }, bare], () => undefined),
    `error[E0203]: subnet overlaps another on the same router
   ┌─ nets/db.yaml:18:11
   = covers 10.20.1.0/24
   ┌─ nets/web.yaml:9:11
   = first declared here (router r-core)
   = help: x

note[E1]: no place
  = nor here
  = help: h
`,
  )
})

test('names cannot write into the terminal', (t) => {
  const evil = 'x\u001b[31m\ny\u202e'
  const text = renderIssues(
    [{ code: 'E1', severity: 'error', message: evil, hint: evil, place: { file: 'f', line: 1, col: 1 } }],
    () => `\u001b[2J${evil}`,
  )
  t.false(text.includes('\u001b') || text.includes('\u202e'))
  t.is(text.split('\n').length, 6)
})

test('colour when asked for, a limit with the rest counted, a summary', (t) => {
  const color = pc.createColors(true)
  t.true(renderIssues([OVERLAP], read, { color }).includes('\u001b[31m'))
  const text = renderIssues([OVERLAP, OVERLAP, { ...OVERLAP, severity: 'warning' }], read, { limit: 1 })
  t.regex(text, /… and 1 error and 1 warning more\n$/)
  t.is(summariseIssues([]), 'no errors')
  t.is(renderIssues([], read), '')
})

test('as JSON', (t) => {
  t.deepEqual(issueJson(OVERLAP), {
    code: 'E0203',
    severity: 'error',
    message: 'subnet overlaps another on the same router',
    file: 'nets/db.yaml',
    line: 18,
    column: 11,
    end_column: 23,
    label: 'covers 10.20.1.0/24',
    related: [{ message: 'first declared here (router r-core)', file: 'nets/web.yaml', line: 9, column: 11, end_column: 23 }],
    hint: 'use 10.20.0.0/24, or detach one subnet from r-core',
  })
})
