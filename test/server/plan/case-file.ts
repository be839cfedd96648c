import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import type { Locate } from '../../../src/server/engine/types.ts'

/** Places that say what they are of. */
export const locate: Locate = (key, at) => ({ file: [key, ...at].join(' '), line: 1, col: 1 })

/** A test for each case of a file beside the tests: `## title`, YAML, `=>`, the outcome. `UPDATE=1` fills outcomes in. */
export function testCases(name: string, run: (source: string) => string): void {
  const file = new URL(`../../../../test/server/plan/${name}`, import.meta.url)
  const [head = '', ...cases] = readFileSync(file, 'utf8').split(/^## /m)

  if (process.env['UPDATE'] === '1') {
    const rewritten = cases.map((c) => {
      const [source = ''] = c.split('\n=>\n')
      const [title = '', ...body] = source.trimEnd().split('\n')
      return `## ${title}\n${body.join('\n')}\n=>\n${run(`${body.join('\n')}\n`)}\n\n`
    })
    writeFileSync(file, `${head}${rewritten.join('')}`.trimEnd().concat('\n'))
  }

  test('there are cases', (t) => {
    t.true(cases.length > 20)
  })

  for (const c of cases) {
    const [source = '', expected = ''] = c.split('\n=>\n')
    const [title = '', ...body] = source.split('\n')
    test(title, (t) => {
      t.is(run(`${body.join('\n')}\n`), expected.trim())
    })
  }
}
