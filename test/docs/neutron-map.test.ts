import { readFile } from 'node:fs/promises'
import test from 'ava'
import ts from 'typescript'
import { defaultDirectory } from '../../src/plugins/choose.ts'
import { BUILT_IN } from '../../src/plugins/index.ts'

const ROWS = 66
const root = new URL('../../../', import.meta.url)
const text = await readFile(new URL('docs/neutron-map.md', root), 'utf8')

/** Test titles of a file, as they are written in it; of `stories.ts`, which tests are made from, the stories' names. */
function titlesOf(path: string, source: string): readonly string[] {
  if (path.endsWith('.txt')) return source.split('\n').flatMap((line) => (line.startsWith('## ') ? [line.slice(3)] : []))
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    const name =
      path.endsWith('stories.ts') && ts.isPropertyAssignment(node) && node.name.getText() === 'name' ? node.initializer : undefined
    if (name !== undefined && ts.isStringLiteralLike(name)) found.push(name.text)
    const [title] = ts.isCallExpression(node) && /^test\b/.test(node.expression.getText()) ? node.arguments : []
    if (title !== undefined && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title))) found.push(title.getText().slice(1, -1))
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, source, ts.ScriptTarget.ES2023, true))
  return found
}

/** Each named file with the titles that follow it. */
function proofs(markdown: string): readonly { readonly path: string; readonly titles: readonly string[] }[] {
  return [...markdown.matchAll(/`(test\/[^`]+)`((?: “[^”]+”)*)/g)].map(([, path = '', titles = '']) => ({
    path,
    titles: [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title),
  }))
}

/** What a map says that is not so. */
async function faults(markdown: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const { path, titles } of proofs(markdown)) {
    const source = await readFile(new URL(path, root), 'utf8').catch(() => undefined)
    if (source === undefined) found.push(`${path} does not exist`)
    else if (titles.length === 0) found.push(`${path} is named without a title`)
    else for (const title of titles) if (!titlesOf(path, source).includes(title)) found.push(`${path} has no test “${title}”`)
  }
  return found
}

test('every file and every title that the map names exists', async (t) => {
  t.true(proofs(text).length > 60)
  t.deepEqual(await faults(text), [])
})

test('every mechanism is in the table or left out by number; without proof only what is missing', (t) => {
  const rows = [...text.matchAll(/^\| (\d+) \|(.*)\|$/gm)].map(([, n = '', rest = '']) => ({ n: Number(n), rest }))
  const out = /speak of the HTTP API, routers, DHCP or metadata: ([\d, ]+)\./.exec(text)?.[1]?.split(', ').map(Number) ?? []
  const named = [...rows.map((r) => r.n), ...out].sort((a, b) => a - b)
  t.deepEqual(
    named,
    Array.from({ length: ROWS }, (_, i) => i + 1),
  )
  for (const { n, rest } of rows) if (proofs(rest).length === 0) t.true(rest.includes('**missing**'), `row ${n}`)
})

test('every rule of the core resources names the case that shows it', (t) => {
  const rows =
    text
      .split('## Rules of the core resources')[1]
      ?.split('\n')
      .filter((line) => line.startsWith('| ')) ?? []
  const [, ...rules] = rows
  t.true(rules.length > 40)
  for (const rule of rules) t.true(proofs(rule).length > 0, rule)
})

test('every alias of the built-in plugins has its proof, and no other is named', (t) => {
  const lines = text.split('## Aliases')[1]?.split('\n## ')[0]?.split('\n') ?? []
  const rows = lines.flatMap((line) => {
    const [, alias = '', plugin = '', proof = ''] = /^\| `([^`]+)` \| (\S+) \| (.*) \|$/.exec(line) ?? []
    return alias === '' ? [] : [{ named: `${plugin} ${alias}`, proof }]
  })
  const site = [...defaultDirectory().owners.values()].filter((o) => o.plugin === 'netloom').map((o) => `${o.plugin} ${o.alias}`)
  const brought = BUILT_IN.flatMap((plugin) => plugin.extensions.map(({ alias }) => `${plugin.name} ${alias}`))
  t.deepEqual(rows.map((r) => r.named).sort(), [...site, ...brought].sort())
  for (const { named, proof } of rows) t.true(proofs(proof).length > 0, named)
})

test('this check sees what it looks for', async (t) => {
  const real = '`test/docs/neutron-map.test.ts` “this check sees what it looks for”'
  t.deepEqual(await faults(real), [])
  t.is((await faults(real.replace('looks for', 'looks at'))).length, 1)
  t.is((await faults(real.replace('neutron-map', 'neutron-mop'))).length, 1)
  t.is((await faults('`test/docs/neutron-map.test.ts` is it')).length, 1)
})
