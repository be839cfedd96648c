import { rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { LoadedFile } from '../../../src/model/resource.ts'
import { RepoError } from '../../../src/server/repo/error.ts'
import type { FileCache, RawFile } from '../../../src/server/repo/load-files.ts'
import { MAX_BYTES, parseFile } from '../../../src/server/repo/parse.ts'
import { parsePool } from '../../../src/server/repo/pool.ts'
import { readWorktree } from '../../../src/server/repo/read-worktree.ts'
import { scanFolder, statFiles } from '../../../src/server/repo/scan.ts'
import { diffSnapshots } from '../../../src/server/repo/snapshot.ts'
import { CONTEXT, folder, git, LOADER, networks, put } from './harness.ts'

/** A cache with the semantics of the store: what was put is found by hash, as JSON brought it back. */
function memory(): FileCache & { readonly asked: string[] } {
  const kept = new Map<string, string>()
  const asked: string[] = []
  return {
    asked,
    get: async (hashes) => {
      asked.push(...hashes)
      return new Map(hashes.flatMap((h): [string, LoadedFile][] => (kept.has(h) ? [[h, JSON.parse(kept.get(h) ?? '')]] : [])))
    },
    put: async (files) => {
      for (const file of files) kept.set(file.hash, JSON.stringify(file))
    },
  }
}

test('a restart parses nothing that was seen before; another path or another program is not the same', async (t) => {
  const dir = folder(t)
  put(dir, 'a.yaml', networks('a'))
  put(dir, 'sub/b.yml', 'networks:\n  b: { mut: 1 }\n')
  const cache = memory()
  const first = await readWorktree(dir, { ...CONTEXT, cache })
  t.is(first.fresh.length, 2)
  await cache.put(first.fresh)
  const second = await readWorktree(dir, { ...CONTEXT, cache })
  t.is(second.fresh.length, 0)
  t.deepEqual(
    [...second.snapshot.files.values()].map((f) => f.loaded),
    [...first.snapshot.files.values()].map((f) => f.loaded),
  )
  put(dir, 'c.yaml', networks('a'))
  t.deepEqual(
    (await readWorktree(dir, { ...CONTEXT, cache })).fresh.map((f) => f.path),
    ['c.yaml'],
  )
})

test("a folder that can hold no repository is refused at once: the kernel's own, and one with more in it than anybody writes", (t) => {
  t.throws(() => scanFolder('/proc'), { instanceOf: RepoError, code: 'no-repository', message: /the kernel's proc file system/ })
  t.throws(() => scanFolder('/sys/class/net'), { instanceOf: RepoError, code: 'no-repository', message: /the kernel's sysfs file system/ })
  const dir = folder(t)
  for (const name of ['a', 'b/c', 'd']) put(dir, `${name}/x.yaml`, networks(name[0] ?? ''))
  put(dir, 'a/notes.txt', '')
  // The root, a, b, b/c, d; and in them a b d, x.yaml notes.txt, c, x.yaml, x.yaml.
  t.is(scanFolder(dir, { folders: 5, entries: 8 }).files.length, 3)
  t.throws(() => scanFolder(dir, { folders: 4, entries: 8 }), {
    instanceOf: RepoError,
    code: 'no-repository',
    message: /holds more than 4 folders, .*netloom\.yaml/,
  })
  t.throws(() => scanFolder(dir, { folders: 5, entries: 7 }), {
    instanceOf: RepoError,
    code: 'no-repository',
    message: /holds more than 7 names/,
  })
})

const faults = (dir: string): string[] => [...scanFolder(dir).faults].map(([path, { code }]) => `${code} ${path}`)
const paths = (dir: string): string[] =>
  scanFolder(dir)
    .files.map((f) => f.path)
    .sort()

test('links out of the repository are refused and not looked behind, nor those into .git and .netloom', (t) => {
  const dir = folder(t)
  const outside = folder(t)
  put(outside, 'secret', 'root:x:0')
  put(outside, 'sub/far.yaml', networks('far'))
  put(dir, 'a.yaml', networks('a'))
  put(dir, '.netloom/server.key', '{}')
  put(dir, '.git/config', '')
  symlinkSync('/proc', join(dir, 'all'))
  symlinkSync(join(outside, 'secret'), join(dir, 'file.yaml'))
  symlinkSync(join(outside, 'sub'), join(dir, 'folder'))
  symlinkSync('folder/far.yaml', join(dir, 'through.yaml'))
  symlinkSync('.netloom/server.key', join(dir, 'key.yaml'))
  symlinkSync('.git/config', join(dir, 'config.yaml'))
  // Nobody would have read these.
  symlinkSync(join(outside, 'secret'), join(dir, 'README.md'))
  t.deepEqual(
    faults(dir).sort(),
    ['all', 'config.yaml', 'file.yaml', 'folder', 'key.yaml', 'through.yaml'].map((path) => `E0812 ${path}`),
  )
  t.deepEqual(paths(dir), ['a.yaml'])
})

test('links within the repository are followed: in a folder of a git worktree also to its other folders; the root may be a link itself', async (t) => {
  const top = folder(t)
  await git(top, 'init', '-q')
  put(top, 'common/c.yaml', networks('c'))
  put(top, 'prod/.shared/s.yaml', networks('s'))
  symlinkSync('../common', join(top, 'prod/common'))
  symlinkSync('.shared/s.yaml', join(top, 'prod/s.yaml'))
  symlinkSync('prod', join(top, 'current'))
  for (const root of ['prod', 'current']) {
    t.deepEqual(faults(join(top, root)), [])
    t.deepEqual(paths(join(top, root)), ['common/c.yaml', 's.yaml'])
  }
  rmSync(join(top, '.git'), { recursive: true })
  t.deepEqual(faults(join(top, 'prod')), ['E0812 common'])
})

test('a file that became a link out of the repository since it was listed is not opened by the quick look', (t) => {
  const dir = folder(t)
  put(dir, 'a.yaml', networks('a'))
  t.is(statFiles(dir, ['a.yaml']).length, 1)
  rmSync(join(dir, 'a.yaml'))
  symlinkSync('/etc/hostname', join(dir, 'a.yaml'))
  t.deepEqual(statFiles(dir, ['a.yaml', 'gone.yaml']), [])
})

test('a file whose stamp is old and the same is not opened; a young stamp proves nothing', async (t) => {
  const dir = folder(t)
  put(dir, 'a.yaml', networks('a'))
  const old = new Date(Date.now() - 60_000)
  const young = await readWorktree(dir, CONTEXT)
  // Written again within the clock's grain: same size, same times.
  writeFileSync(join(dir, 'a.yaml'), networks('b'))
  utimesSync(join(dir, 'a.yaml'), old, old)
  const again = await readWorktree(dir, CONTEXT, young.snapshot)
  t.deepEqual(
    diffSnapshots(young.snapshot, again.snapshot).changed.map((f) => f.path),
    ['a.yaml'],
  )
})

test('what is read equals what was, for the same bytes, and nothing is parsed again', async (t) => {
  const dir = folder(t)
  put(dir, 'a.yaml', networks('a'))
  const first = await readWorktree(dir, CONTEXT)
  put(dir, 'a.yaml', networks('a'))
  const second = await readWorktree(dir, CONTEXT, first.snapshot)
  t.is(second.fresh.length, 0)
  t.deepEqual(diffSnapshots(first.snapshot, second.snapshot), { changed: [], removed: [] })
})

test('a folder that is no folder or not there', async (t) => {
  const dir = folder(t)
  put(dir, 'a.yaml', '')
  const code = async (path: string) => (await t.throwsAsync<RepoError>(readWorktree(path, CONTEXT), { instanceOf: RepoError }))?.code
  t.is(await code(join(dir, 'a.yaml')), 'not-a-folder')
  t.is(await code(join(dir, 'nowhere')), 'no-root')
})

test('a file above the limit is an error, and is not read', async (t) => {
  const dir = folder(t)
  const big = Buffer.alloc(MAX_BYTES + 1, '#')
  put(dir, 'big.yaml', big)
  const { snapshot } = await readWorktree(dir, CONTEXT)
  t.like(snapshot.files.get('big.yaml')?.loaded.issues, [
    { code: 'E0102', message: 'the file is too large: 64.0 MB, at most 64 MB are read' },
  ])
})

test('worker threads parse what is not plain, and give what we would', async (t) => {
  const odd = (i: number): RawFile => ({
    path: `${i}.yaml`,
    bytes: Buffer.from(`ports:\n${Array.from({ length: 40 }, (_, n) => `  "p${n}": &a${n} { network: blue }\n`).join('')}`),
  })
  const files = [
    ...Array.from({ length: 12 }, (_, i) => odd(i)),
    { path: 'plain.yaml', bytes: Buffer.from(networks('x')) },
    { path: 'bad.yaml', bytes: Buffer.from('a: [\n') },
  ]
  const out = new Map<string, unknown>()
  for await (const { file, parsed } of parsePool({ threads: 2, inlineBytes: 100 })(files)) out.set(file.path, parsed)
  t.is(out.size, 14)
  for (const { path, bytes } of files) t.deepEqual(out.get(path), parseFile(path, bytes))
})

test('the hash tells apart kinds, program versions, paths and bytes', (t) => {
  const bytes = Buffer.from('x')
  const hashes = [LOADER.hash('a', bytes), LOADER.hash('b', bytes), LOADER.hash('a', Buffer.from('y'))]
  t.is(new Set(hashes).size, 3)
  t.true(hashes.includes(LOADER.hash('a', bytes)))
})
