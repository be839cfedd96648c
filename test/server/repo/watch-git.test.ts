import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { gitView } from '../../../src/server/repo/git.ts'
import { findGit, operationInProgress, readRef } from '../../../src/server/repo/git-folder.ts'
import { readOnce } from '../../../src/server/repo/read-once.ts'
import { readWorktree } from '../../../src/server/repo/read-worktree.ts'
import { CONTEXT, folder, git, networks, put, shell, watched } from './harness.ts'

async function repository(t: ExecutionContext, files: Readonly<Record<string, string>>): Promise<string> {
  const dir = folder(t)
  await git(dir, 'init', '-q')
  for (const [path, text] of Object.entries(files)) put(dir, path, text)
  await commit(dir, 'first')
  return dir
}

async function commit(dir: string, subject: string): Promise<string> {
  await git(dir, 'add', '-A')
  await git(dir, 'commit', '-q', '-m', subject)
  return git(dir, 'rev-parse', 'HEAD')
}

test('a checkout that renames files is one state without any change of a resource', async (t) => {
  const many = Array.from({ length: 45 }, (_, i) => `n${i}`)
  const dir = await repository(t, Object.fromEntries(many.map((n) => [`nets/${n}.yaml`, networks(n)])))
  await git(dir, 'checkout', '-q', '-b', 'moved')
  await git(dir, 'mv', 'nets', 'networks')
  await commit(dir, 'move')
  const w = await watched(t, dir)
  await git(dir, 'checkout', '-q', 'main')
  await w.until((s) => s.serial === 2)
  await w.rest()
  t.is(w.states.length, 2)
  t.is(w.states[1]?.touched.size, 0)
  t.is(w.states[1]?.tree.declared.size, 45)
  t.deepEqual(w.states[1]?.issues, [])
  t.is(w.states[1]?.tree.places.get([...(w.states[1]?.tree.declared.keys() ?? [])][0] ?? ('' as never))?.file.startsWith('nets/'), true)
})

test('a rebase of 30 commits is one state, at its end', async (t) => {
  const dir = await repository(t, { 'base.yaml': networks('base') })
  await git(dir, 'checkout', '-q', '-b', 'topic')
  for (let i = 0; i < 30; i++) {
    put(dir, `topic-${i}.yaml`, networks(`topic-${i}`))
    await commit(dir, `topic ${i}`)
  }
  await git(dir, 'checkout', '-q', 'main')
  put(dir, 'base.yaml', networks('base', 'more'))
  await commit(dir, 'more')
  await git(dir, 'checkout', '-q', 'topic')
  const w = await watched(t, dir)
  await git(dir, 'rebase', '-q', 'main')
  await w.until((s) => s.serial === 2)
  await w.rest()
  t.is(w.states.length, 2)
  t.deepEqual([...(w.states[1]?.touched ?? [])], ['network/default/more'])
})

test('what was read before it was committed is handed on again with its commit, and a deletion that is committed is one on purpose', async (t) => {
  const dir = await repository(t, { 'a.yaml': networks('a'), 'b.yaml': networks('b') })
  const w = await watched(t, dir)
  put(dir, 'c.yaml', networks('c'))
  rmSync(join(dir, 'b.yaml'))
  const before = await w.until((s) => s.serial === 2)
  t.deepEqual([before.git.info?.dirty, before.git.vanished], [true, ['b.yaml']])
  const id = await commit(dir, 'one comes, one goes')
  const after = await w.until((s) => s.serial === 3)
  t.deepEqual([after.git.info?.commit, after.git.info?.dirty, after.git.vanished], [id, false, []])
  t.is(after.touched.size, 0)
  await w.rest()
  t.is(w.states.length, 3)
})

test('a merge in conflict is waited out, and the watch says so', async (t) => {
  const dir = await repository(t, { 'nets.yaml': networks('a') })
  await git(dir, 'checkout', '-q', '-b', 'side')
  put(dir, 'nets.yaml', networks('a', 'side'))
  await commit(dir, 'side')
  await git(dir, 'checkout', '-q', 'main')
  put(dir, 'nets.yaml', networks('a', 'main'))
  await commit(dir, 'main')
  const w = await watched(t, dir)
  await t.throwsAsync(git(dir, 'merge', '-q', 'side'))
  while (!/merge/.test(w.watch.status().why ?? '')) await sleep(10)
  await sleep(500)
  t.is(w.states.length, 1)
  put(dir, 'nets.yaml', networks('a', 'main', 'side'))
  await sleep(500)
  t.is(w.states.length, 1)
  await commit(dir, 'merged')
  const merged = await w.until((s) => s.serial === 2)
  t.is(merged.tree.declared.size, 3)
  t.is(merged.git.info?.subject, 'merged')
})

test('conflict markers that somebody committed are an error', async (t) => {
  const dir = await repository(t, { 'nets.yaml': `networks:\n<<<<<<< HEAD\n  a: {}\n=======\n  b: {}\n>>>>>>> x\n` })
  const read = await readOnce(dir, { from: 'worktree' }, CONTEXT)
  t.deepEqual(
    read.issues.map((i) => i.code),
    ['E0119'],
  )
})

test('index.lock holds everything back until it goes', async (t) => {
  const dir = await repository(t, { 'nets.yaml': networks('a') })
  const w = await watched(t, dir)
  writeFileSync(join(dir, '.git/index.lock'), '')
  put(dir, 'nets.yaml', networks('a', 'b'))
  while (!/index\.lock/.test(w.watch.status().why ?? '')) await sleep(10)
  await sleep(600)
  t.is(w.states.length, 1)
  rmSync(join(dir, '.git/index.lock'))
  await w.until((s) => s.tree.declared.size === 2)
  t.is(w.states.length, 2)
})

test('git status, stash and bisect are no trouble', async (t) => {
  const dir = await repository(t, { 'nets.yaml': networks('a') })
  await commit(dir, 'x').catch(() => '')
  const w = await watched(t, dir)
  for (let i = 0; i < 5; i++) await git(dir, 'status')
  await git(dir, 'bisect', 'start')
  put(dir, 'nets.yaml', networks('a', 'b'))
  await w.until((s) => s.tree.declared.size === 2)
  await git(dir, 'stash')
  await w.until((s) => s.tree.declared.size === 1)
  t.is(w.states.length, 3)
})

test('git info: commit, author, subject; dirty means that the YAML is not what the commit holds', async (t) => {
  const dir = await repository(t, { 'nets.yaml': networks('a'), 'sub/b.yaml': networks('b') })
  const view = gitView(dir)
  const state = async () => view.state((await readWorktree(dir, CONTEXT)).snapshot)
  const id = await git(dir, 'rev-parse', 'HEAD')
  t.deepEqual(await state(), { info: { commit: id, author: 'Op', subject: 'first', dirty: false }, vanished: [] })
  put(dir, 'README.md', 'not ours')
  t.is((await state()).info?.dirty, false)
  put(dir, 'nets.yaml', networks('a', 'c'))
  t.is((await state()).info?.dirty, true)
  await git(dir, 'add', '-A')
  t.is((await state()).info?.dirty, true)
  await git(dir, 'commit', '-q', '-m', 'second: "quoted" ünï')
  t.deepEqual(((s) => [s?.subject, s?.dirty])((await state()).info), ['second: "quoted" ünï', false])
  rmSync(join(dir, 'sub/b.yaml'))
  t.deepEqual((await state()).vanished, ['sub/b.yaml'])
})

test('outside any repository, before the first commit, in a subfolder, in a linked worktree, with packed refs', async (t) => {
  const plain = folder(t)
  put(plain, 'a.yaml', networks('a'))
  t.deepEqual((await readOnce(plain, { from: 'worktree' }, CONTEXT)).git, { vanished: [] })
  await git(plain, 'init', '-q')
  t.deepEqual((await readOnce(plain, { from: 'worktree' }, CONTEXT)).git, { vanished: [] })

  const dir = await repository(t, { 'top.yaml': networks('top'), 'site/n.yaml': networks('n') })
  const sub = await readOnce(join(dir, 'site'), { from: 'worktree' }, CONTEXT)
  t.is(sub.git.info?.dirty, false)
  t.deepEqual([...sub.tree.files.keys()], ['n.yaml'])

  const linked = join(folder(t), 'linked')
  await git(dir, 'worktree', 'add', '-q', '-b', 'other', linked)
  put(linked, 'top.yaml', networks('changed'))
  const other = await commit(linked, 'in the worktree')
  await git(dir, 'pack-refs', '--all')
  const read = await readOnce(linked, { from: 'worktree' }, CONTEXT)
  t.deepEqual(read.git.info, { commit: other, author: 'Op', subject: 'in the worktree', dirty: false })
  const own = findGit(linked)
  t.truthy(own && own.own !== own.common)
  if (own) writeFileSync(join(own.own, 'MERGE_HEAD'), `${other}\n`)
  t.regex((own && operationInProgress(own)) ?? '', /merge/)
  const main = findGit(dir)
  t.is(main && operationInProgress(main), undefined)
  t.is(main && readRef(main, 'main'), await git(dir, 'rev-parse', 'main'))
})

test('source commit: only what is committed, uncommitted files do not count', async (t) => {
  const dir = await repository(t, { 'nets.yaml': networks('a') })
  const w = await watched(t, dir, { from: 'commit', ref: 'HEAD' })
  put(dir, 'nets.yaml', networks('a', 'b'))
  put(dir, 'new.yaml', networks('c'))
  await sleep(500)
  t.is(w.states.length, 1)
  const id = await commit(dir, 'second')
  const state = await w.until((s) => s.tree.declared.size === 3)
  t.deepEqual(state.git.info, { commit: id, author: 'Op', subject: 'second', dirty: false })
  await git(dir, 'checkout', '-q', '-b', 'topic', 'HEAD~1')
  await w.until((s) => s.tree.declared.size === 1)
})

test('source commit from a bare repository: a push is one state', async (t) => {
  const dir = await repository(t, { 'nets.yaml': networks('a') })
  const bare = join(folder(t), 'bare.git')
  await git(dir, 'clone', '-q', '--bare', dir, bare)
  const w = await watched(t, bare, { from: 'commit', ref: 'main' })
  for (const n of ['b', 'c']) {
    put(dir, `${n}.yaml`, networks(n))
    await commit(dir, n)
  }
  await git(dir, 'push', '-q', bare, 'main')
  await w.until((s) => s.tree.declared.size === 3)
  t.is(w.states.length, 2)
  await t.throwsAsync(readOnce(bare, { from: 'commit', ref: 'nowhere' }, CONTEXT), { message: /no commit nowhere/ })
})

test('source commit: links inside the commit are followed, links out of it are errors', async (t) => {
  const dir = await repository(t, { 'nets.yaml': networks('a') })
  symlinkSync('/etc/hostname', join(dir, 'out.yaml'))
  put(dir, '.shared/s.yaml', networks('s'))
  symlinkSync('.shared', join(dir, 'shared'))
  symlinkSync('.shared/s.yaml', join(dir, 'same.yaml'))
  await commit(dir, 'links')
  const read = await readOnce(dir, { from: 'commit', ref: 'HEAD' }, CONTEXT)
  t.deepEqual(
    read.issues.map((i) => `${i.code} ${i.place?.file}`),
    ['E0115 out.yaml', 'E0302 shared/s.yaml'],
  )
})

test('the files of a repository of another user are read, and its configuration runs nothing', async (t) => {
  const dir = await repository(t, { 'nets.yaml': networks('a') })
  await shell(dir, `git config core.fsmonitor 'touch ${dir}/ran; false'; git config core.pager 'touch ${dir}/ran'; chown -R 12345 .`)
  const read = await readOnce(dir, { from: 'worktree' }, CONTEXT)
  t.is(read.git.info?.subject, 'first')
  t.throws(() => readFileSync(join(dir, 'ran')))
})
