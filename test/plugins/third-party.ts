import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'

const SAMPLE = fileURLToPath(new URL('../../../samples/plugins', import.meta.url))

/** A copy of the sample outside of the tree, as a third party would have it: modules in one folder, the repository in another. */
export async function thirdParty(t: Pick<ExecutionContext, 'teardown'>): Promise<{
  readonly repo: string
  edit(file: string, from: string, to: string): Promise<void>
}> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-third-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await cp(SAMPLE, dir, { recursive: true })
  return {
    repo: join(dir, 'repo'),
    async edit(file, from, to) {
      const path = join(dir, file)
      const text = await readFile(path, 'utf8')
      if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`)
      await writeFile(path, text.replace(from, to))
    },
  }
}
