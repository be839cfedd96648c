import { readdir, readFile } from 'node:fs/promises'
import test from 'ava'
import ts from 'typescript'

const CODE = /^[EWN]\d{4}$/
const LETTERS: Readonly<Record<string, string>> = { error: 'E', warning: 'W', note: 'N' }

/** Where a code is made, and how severe what it stands for is there; undefined where the place does not say (a constant, a set). */
interface Use {
  readonly code: string
  readonly path: string
  readonly severity: string | undefined
}

function uses(path: string, text: string): Use[] {
  const found: Use[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) && CODE.test(node.text)) found.push({ code: node.text, path, severity: severityAt(node) })
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true))
  return found
}

/** What stands beside `code:` (an error, when nothing does), or what the function is called that the code is handed to: `warning(…)`, `error(…)`. */
function severityAt(node: ts.StringLiteral): string | undefined {
  const { parent } = node
  if (ts.isPropertyAssignment(parent) && parent.name.getText() === 'code' && ts.isObjectLiteralExpression(parent.parent)) {
    const beside = parent.parent.properties.find((p) => p.name?.getText() === 'severity')
    const value =
      beside !== undefined && ts.isPropertyAssignment(beside) ? beside.initializer.getText().replace(/^'(\w+)'.*$/s, '$1') : 'error'
    return value
  }
  if (ts.isCallExpression(parent)) return LETTERS[parent.expression.getText()] === undefined ? 'error' : parent.expression.getText()
  return undefined
}

/** Who may share a code: the files of one folder, and reading and loading, between which a mistake may be seen on either side. */
function area(path: string): string {
  return path.replace(/\/[^/]*$/, '').replace(/^src\/server\/(repo|load)$/, 'src/server/repo, load')
}

function faults(all: readonly Use[]): string[] {
  const areas = new Map<string, Set<string>>()
  for (const { code, path } of all) areas.set(code, new Set([...(areas.get(code) ?? []), area(path)]))
  return [
    ...all
      .filter(({ code, severity }) => severity !== undefined && LETTERS[severity] !== code[0])
      .map(({ code, path, severity }) => `${path}: ${code} is given to a ${severity}`),
    ...[...areas]
      .filter(([, at]) => at.size > 1)
      .map(([code, at]) => `${code} stands for two things, in ${[...at].sort().join(' and in ')}`),
  ]
}

async function sources(): Promise<Use[]> {
  const lists = await Promise.all(['src', 'agentd'].map(async (f) => (await readdir(f, { recursive: true })).map((name) => `${f}/${name}`)))
  const paths = lists.flat().filter((p) => p.endsWith('.ts'))
  return (await Promise.all(paths.map(async (path) => uses(path, await readFile(path, 'utf8'))))).flat()
}

test('a code begins with the letter of its severity, and stands for one thing', async (t) => {
  const all = await sources()
  t.true(all.length > 100, `${all.length} uses seen`)
  t.true(all.filter((u) => u.severity === 'warning').length >= 5, 'warnings are seen as such')
  t.deepEqual(faults(all), [])
})

test('this check sees what it looks for', (t) => {
  const of = (text: string, path = 'src/a/x.ts') => uses(path, text)
  t.deepEqual(faults(of("f({ code: 'E0001', message })")), [])
  t.is(faults(of("f({ code: 'E0001', severity: 'warning' })")).length, 1)
  t.is(faults(of("f({ code: 'W0001', message })")).length, 1)
  t.is(faults(of("f({ code: 'W0001', severity: 'note' as const })")).length, 1)
  t.is(faults(of("warning('E0001', m)")).length, 1)
  t.is(faults(of("report(c, 'W0001', m)")).length, 1)
  t.is(faults([...of("f({ code: 'E0001' })"), ...of("f({ code: 'E0001' })", 'src/b/x.ts')]).length, 1)
  t.is(faults([...of("f({ code: 'E0001' })"), ...of("const MISSING = 'E0001'", 'src/a/y.ts')]).length, 0)
})
