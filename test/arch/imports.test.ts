import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import test from 'ava'
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser'
import { RULES } from './rules.ts'

const FOLDERS = ['src', 'agentd', 'schemas']

async function cruiseTree(baseDir: string): Promise<ICruiseResult> {
  const forbidden = RULES.map(({ planted: _, ...rule }) => rule)
  const folders = (await readdir(baseDir)).filter((f) => FOLDERS.includes(f))
  const options: ICruiseOptions = {
    baseDir,
    validate: true,
    ruleSet: { forbidden },
    // Imports of types are imports: a folder that needs another one's words depends on it.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: join(process.cwd(), 'tsconfig.json') },
  }
  // Packages that are modules only name their entry under these conditions.
  const resolve = { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] }
  const { output } = await cruise(folders, options, resolve)
  if (typeof output === 'string') throw new Error(output)
  return output
}

test('nobody imports what is not his to import', async (t) => {
  const result = await cruiseTree(process.cwd())
  const files = (await Promise.all(FOLDERS.map(async (f) => await readdir(f, { recursive: true })))).flat().filter((f) => f.endsWith('.ts'))
  const seen = result.modules.filter((m) => FOLDERS.some((f) => m.source.startsWith(`${f}/`)))
  // With a TypeScript it cannot read, dependency-cruiser sees nothing and reports that all is well.
  t.true(seen.length > 0.9 * files.length, `${seen.length} modules seen of ${files.length} files`)
  t.true(seen.some((m) => m.dependencies.length > 0))
  t.log(`${seen.length} modules of ${files.length} files, ${result.summary.totalDependenciesCruised ?? 0} imports`)
  const found = result.summary.violations.map(
    (v) => `${v.from} → ${v.to}: ${v.rule.name}; ${RULES.find((r) => r.name === v.rule.name)?.comment}`,
  )
  t.deepEqual(found.sort(), [])
})

test('each rule catches the import that was planted for it', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'nl-arch-'))
  t.teardown(async () => await rm(dir, { recursive: true }))
  const put = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(join(dir, file)), { recursive: true })
    await writeFile(join(dir, file), text)
  }
  await put('package.json', '{"name":"planted","type":"module","dependencies":{},"devDependencies":{"ava":"*"}}')
  await symlink(join(process.cwd(), 'node_modules'), join(dir, 'node_modules'))
  for (const { planted } of RULES) if (/^(src|agentd|test)\//.test(planted.imports)) await put(planted.imports, 'export const x = 1\n')
  for (const { planted } of RULES) {
    const ours = /^(src|agentd|test)\//.test(planted.imports)
    const path = ours ? relative(dirname(planted.file), planted.imports) : planted.imports
    await put(planted.file, `import * as x from '${path.startsWith('.') || !ours ? path : `./${path}`}'\nexport const y: unknown = x\n`)
  }
  const { violations } = (await cruiseTree(dir)).summary
  for (const rule of RULES) {
    t.true(
      violations.some((v) => v.rule.name === rule.name && v.from === rule.planted.file),
      `${rule.planted.file} importing ${rule.planted.imports} must break "${rule.name}"`,
    )
  }
})
