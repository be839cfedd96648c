import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { compareText } from '../../../src/model/key.ts'
import { createLoader } from '../../../src/server/load/load.ts'
import { EMPTY_TREE, treeIssues, withFiles } from '../../../src/server/load/tree.ts'
import { renderIssues } from '../../../src/server/render/issue.ts'
import { fileLocator } from '../../../src/server/repo/locate.ts'
import { parseFile } from '../../../src/server/repo/parse.ts'
import { TEST_KINDS } from './kinds.ts'

// Stories as files: every folder of cases/ is a repo, and expected.txt what an operator is told and what was understood. UPDATE=1 rewrites them.
const CASES = join(fileURLToPath(new URL('../../../../', import.meta.url)), 'test/server/load/cases')
const loader = createLoader(TEST_KINDS, 'test')

for (const name of readdirSync(CASES).sort()) {
  test(name, (t) => {
    const dir = join(CASES, name)
    const text = outcome(dir)
    const expected = join(dir, 'expected.txt')
    if (process.env['UPDATE'] === '1') writeFileSync(expected, text)
    t.is(text, readFileSync(expected, 'utf8'))
  })
}

function outcome(dir: string): string {
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((p) => /\.ya?ml$/.test(p))
  const files = paths.map((path) => {
    const bytes = readFileSync(join(dir, path))
    return loader.load(parseFile(path, bytes), loader.hash(path, bytes), fileLocator(path, bytes).inDocument)
  })
  const { tree } = withFiles(EMPTY_TREE, files)
  const resources = [...tree.declared].sort(([a], [b]) => compareText(a, b))
  const lines = resources.map(([key, { spec }]) => {
    const place = tree.places.get(key)
    return `${key} ${JSON.stringify(spec)} @ ${place?.file}:${place?.line}:${place?.col}\n`
  })
  const issues = renderIssues(treeIssues(tree), (path) => readFileSync(join(dir, relative('.', path)), 'utf8'), { width: 100 })
  return `${lines.join('')}${lines.length > 0 && issues !== '' ? '\n' : ''}${issues}`
}
