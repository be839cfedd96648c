import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { build, judge, spec } from '../support/world.ts'

const folder = new URL('../../../test/kinds/', import.meta.url)
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .sort()

/** `## title`, lines of `show: kind name attribute…`, YAML, `=>`, the outcome. */
function run(source: string): string {
  const lines = source.split('\n')
  const shows = lines.filter((l) => l.startsWith('show: '))
  const yaml = lines.filter((l) => !l.startsWith('show: ')).join('\n')
  const said = judge(yaml)
  const world = shows.length === 0 ? undefined : build(yaml)
  const shown = shows.map((line) => {
    const [, kind = '', name = '', ...attributes] = line.split(' ')
    const value = world === undefined ? undefined : spec(world, kind, name)
    const part =
      value === undefined || attributes.length === 0
        ? value
        : Object.fromEntries(attributes.map((a) => [a, value[a] === undefined ? '–' : value[a]]))
    return `${kind} ${name} = ${JSON.stringify(part)}`
  })
  return [...said, ...shown].join('\n') || 'nothing is wrong'
}

for (const name of files) {
  const file = new URL(name, folder)
  const [head = '', ...cases] = readFileSync(file, 'utf8').split(/^## /m)

  if (process.env['UPDATE'] === '1') {
    const rewritten = cases.map((c) => {
      const [source = ''] = c.split('\n=>\n')
      const [title = '', ...body] = source.trimEnd().split('\n')
      return `## ${title}\n${body.join('\n')}\n=>\n${run(body.join('\n'))}\n\n`
    })
    writeFileSync(file, `${head}${rewritten.join('')}`.trimEnd().concat('\n'))
  }

  test(`${name}: there are cases`, (t) => {
    t.true(cases.length > 0)
  })

  for (const c of cases) {
    const [source = '', expected = ''] = c.split('\n=>\n')
    const [title = '', ...body] = source.split('\n')
    test(`${name}: ${title}`, (t) => {
      t.is(run(body.join('\n')), expected.trim())
    })
  }
}
