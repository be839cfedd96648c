import { readdir, readFile } from 'node:fs/promises'
import test from 'ava'
import ts from 'typescript'
import { EDGES } from './rules.ts'

const FOLDERS = ['src', 'agentd', 'schemas']
/** A longer file makes a reviewer ask; one beyond the hard limit is split before it lands. */
const SOFT_LINES = 250
const HARD_LINES = 400
const SOFT_FUNCTION = 40
const HARD_FUNCTION = 80

interface Source {
  readonly path: string
  readonly lines: number
  readonly ast: ts.SourceFile
}

async function readSources(): Promise<Source[]> {
  const lists = await Promise.all(FOLDERS.map(async (f) => (await readdir(f, { recursive: true })).map((name) => `${f}/${name}`)))
  const paths = lists
    .flat()
    .filter((p) => p.endsWith('.ts'))
    .sort()
  return await Promise.all(
    paths.map(async (path) => {
      const text = await readFile(path, 'utf8')
      return { path, lines: text.split('\n').length - 1, ast: parse(path, text) }
    }),
  )
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true)
}

function hasModifier(node: ts.Node, kind: ts.SyntaxKind): boolean {
  return ts.canHaveModifiers(node) && (ts.getModifiers(node)?.some((m) => m.kind === kind) ?? false)
}

/** `export default …`, `export { x as default }`. */
function hasDefaultExport(ast: ts.SourceFile): boolean {
  return ast.statements.some(
    (s) =>
      ts.isExportAssignment(s) ||
      hasModifier(s, ts.SyntaxKind.DefaultKeyword) ||
      (ts.isExportDeclaration(s) &&
        s.exportClause !== undefined &&
        ts.isNamedExports(s.exportClause) &&
        s.exportClause.elements.some((e) => e.name.text === 'default')),
  )
}

/** A file that only passes on what others export. */
function isBarrel(ast: ts.SourceFile): boolean {
  return ast.statements.length > 0 && ast.statements.every((s) => ts.isExportDeclaration(s) && s.moduleSpecifier !== undefined)
}

/** Classes that inherit, the one-subclass-per-edge of Error aside. */
function heirs(ast: ts.SourceFile): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isClassLike(node)) {
      const base = node.heritageClauses?.find((h) => h.token === ts.SyntaxKind.ExtendsKeyword)?.types[0]?.expression.getText()
      if (base !== undefined && !base.endsWith('Error')) found.push(`${node.name?.text ?? 'class'} extends ${base}`)
    }
    ts.forEachChild(node, visit)
  }
  visit(ast)
  return found
}

/** Functions by name with their length in lines. A function within another counts for itself: one that makes a handle out of closures is not long. */
function functions(ast: ts.SourceFile): { name: string; lines: number }[] {
  const found: { name: string; lines: number }[] = []
  const line = (pos: number): number => ast.getLineAndCharacterOfPosition(pos).line
  const span = (node: ts.Node): number => line(node.end) - line(node.getStart()) + 1
  /** Visits what is inside; resolves to the lines of the functions found there. */
  const visit = (node: ts.Node): number => {
    let inner = 0
    ts.forEachChild(node, (child) => {
      const nested = visit(child)
      if (!ts.isFunctionLike(child) || !('body' in child) || child.body === undefined) {
        inner += nested
        return
      }
      found.push({ name: child.name?.getText() ?? 'a function without a name', lines: span(child) - nested })
      inner += span(child)
    })
    return inner
  }
  visit(ast)
  return found
}

const CLOCKS = new Set([
  'Date.now',
  'performance.now',
  'Math.random',
  'process.hrtime',
  'process.env',
  'process.cwd',
  'process.pid',
  'crypto.randomUUID',
])
const WORLDLY = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'fetch',
  'console',
  'randomUUID',
  'randomBytes',
  'randomInt',
  'randomFillSync',
])

/** Uses of clock, randomness, timers and the process in a file: what pure code takes as an argument. */
function worldly(ast: ts.SourceFile): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && CLOCKS.has(node.getText())) found.push(node.getText())
    // A name that is only mentioned as a property (`options.setTimeout`) or as a type is none of ours.
    else if (ts.isIdentifier(node) && WORLDLY.has(node.text) && isValue(node)) found.push(node.text)
    else if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0)
      found.push('new Date()')
    ts.forEachChild(node, visit)
  }
  visit(ast)
  return found
}

function isValue(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  return ts.isCallExpression(parent) || ts.isImportSpecifier(parent)
}

const sources = await readSources()

test('no file is a god file', (t) => {
  for (const s of sources) if (s.lines > SOFT_LINES) t.log(`${s.path} has ${s.lines} lines: could it be two?`)
  t.true(sources.length > 100, `${sources.length} files seen`)
  t.deepEqual(
    sources.filter((s) => s.lines > HARD_LINES).map((s) => `${s.path}: ${s.lines} lines`),
    [],
  )
})

test('no function is a chapter', (t) => {
  const all = sources.flatMap((s) => functions(s.ast).map((f) => ({ ...f, path: s.path })))
  for (const f of all) if (f.lines > SOFT_FUNCTION) t.log(`${f.path}: ${f.name} has ${f.lines} lines`)
  t.true(all.length > 300, `${all.length} functions seen`)
  t.deepEqual(
    all.filter((f) => f.lines > HARD_FUNCTION).map((f) => `${f.path}: ${f.name}, ${f.lines} lines`),
    [],
  )
})

test('exports have names, and come from where they are written', (t) => {
  t.deepEqual(
    sources.filter((s) => hasDefaultExport(s.ast)).map((s) => s.path),
    [],
  )
  t.deepEqual(
    sources.filter((s) => isBarrel(s.ast)).map((s) => s.path),
    [],
  )
})

test('pure folders read no clock, draw no number and start no timer', (t) => {
  const pure = sources.filter((s) => !EDGES.some((edge) => new RegExp(edge).test(s.path)))
  t.true(pure.length > 80, `${pure.length} pure files seen`)
  t.deepEqual(
    pure.flatMap((s) => worldly(s.ast).map((use) => `${s.path}: ${use} (take it as an argument)`)),
    [],
  )
})

test('nothing inherits but errors', (t) => {
  t.deepEqual(
    sources.flatMap((s) => heirs(s.ast).map((h) => `${s.path}: ${h}`)),
    [],
  )
})

test('these checks see what they look for', (t) => {
  for (const text of ['export default 1', 'export default function f() {}', 'const a = 1; export { a as default }'])
    t.true(hasDefaultExport(parse('x.ts', text)), text)
  t.false(hasDefaultExport(parse('x.ts', 'export const a = 1')))
  t.true(isBarrel(parse('x.ts', "export * from './a.ts'\nexport { b } from './b.ts'")))
  t.false(isBarrel(parse('x.ts', "import { a } from './a.ts'\nexport const LIST = [a]")))
  t.deepEqual(heirs(parse('x.ts', 'class A extends B {}\nclass C extends Error {}')), ['A extends B'])
  t.deepEqual(worldly(parse('x.ts', 'const a = Date.now() + Math.random()\nsetTimeout(f, 1)\nnew Date()\nnew Date(0)\no.fetch()')), [
    'Date.now',
    'Math.random',
    'setTimeout',
    'new Date()',
  ])
  t.deepEqual(functions(parse('x.ts', 'class A {\n m() {\n  return 1\n }\n}')), [{ name: 'm', lines: 3 }])
  const nested = functions(parse('x.ts', 'function a() {\n const b = () => {\n  return 1\n }\n return b\n}'))
  t.deepEqual(
    nested.map((f) => f.lines),
    [3, 3],
  )
})
