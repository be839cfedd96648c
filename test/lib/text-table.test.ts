import test from 'ava'
import fc from 'fast-check'
import { formatAge, formatDuration } from '../../src/lib/duration.ts'
import { cutText, tableLines, textWidth, visible } from '../../src/lib/text-table.ts'

test('columns are as wide as what they hold, and only shrinkable ones give way', (t) => {
  const columns = [
    { title: 'NAME', least: 4 },
    { title: 'N', align: 'right' as const },
    { title: 'NOTE', least: 6 },
  ]
  const rows = [
    ['alpha', '1', 'a long note indeed'],
    ['雪', '100', ''],
  ]
  t.deepEqual(tableLines(columns, rows), ['NAME     N  NOTE', 'alpha    1  a long note indeed', '雪     100'])
  t.deepEqual(tableLines(columns, rows, { width: 20 }), ['NAME     N  NOTE', 'alpha    1  a long …', '雪     100'])
  t.deepEqual(tableLines(columns, rows, { width: 1, ellipsis: '...' }), ['NAME    N  NOTE', 'a...    1  a l...', '雪    100'])
})

test('no line is wider than the terminal when every column can shrink', (t) => {
  const cell = fc.string({ unit: 'grapheme', maxLength: 12 }).map(visible)
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 4 }), fc.integer({ min: 13, max: 40 }), (rows, width) => {
      const columns = ['A', 'B', 'C'].map((title) => ({ title, least: 3 }))
      for (const line of tableLines(columns, rows, { width })) t.true(textWidth(line) <= width, line)
    }),
  )
})

test('text is cut by what is seen', (t) => {
  t.is(cutText('abcdef', 6, '…'), 'abcdef')
  t.is(cutText('abcdef', 4, '…'), 'abc…')
  t.is(cutText('雪雪雪', 4, '…'), '雪…')
  t.is(cutText('abcdef', 2, '...'), '..')
  t.is(textWidth('e\u0301'), 1)
  t.is(visible('a\u001b[31m\nb'), 'a\ufffd[31m\ufffdb')
})

test('durations', (t) => {
  t.deepEqual([-5, 0, 1999, 119_000, 120_000, 7_199_000, 7_200_000, 172_799_000, 172_800_000].map(formatDuration), [
    '0 s',
    '0 s',
    '1 s',
    '119 s',
    '2 min',
    '119 min',
    '2 h',
    '47 h',
    '2 d',
  ])
  t.is(formatAge('not a date', 0), 'not a date')
})
