import { cp, mkdtemp, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { netloom } from './netloom.ts'

const SAMPLE = fileURLToPath(new URL('../../../samples/01-three-hosts', import.meta.url))
const SECRET = 'root:$6$salt$hash:19000:0:99999:7:::'

test('a link out of the repository is an error that shows nothing of what is behind it, also in place of the site file', async (t) => {
  const top = await mkdtemp(join(tmpdir(), 'netloom-links-'))
  t.teardown(() => rm(top, { recursive: true, force: true }))
  const dir = join(top, 'repo')
  await cp(SAMPLE, dir, { recursive: true })
  await writeFile(join(top, 'shadow'), `${SECRET}\nport: [1\n`)
  for (const name of ['shadow.yaml', 'netloom.yaml']) {
    await rm(join(dir, name), { force: true })
    await symlink(join(top, 'shadow'), join(dir, name))
    for (const args of [
      ['validate', dir],
      ['plan', dir],
      ['validate', '--json', dir],
    ]) {
      const { code, out, err } = await netloom(...args)
      t.is(code, 1, args.join(' '))
      t.regex(out, new RegExp(`E0812.*|${name}`))
      t.regex(out, /the symbolic link leads out of the repository/)
      t.false(`${out}${err}`.includes('root'), out)
    }
    await unlink(join(dir, name))
  }
})
