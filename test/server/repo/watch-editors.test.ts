import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync } from 'node:fs'
import { appendFile, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { folder, git, networks, put, shell, watched } from './harness.ts'

const BLUE = networks('blue')
const BOTH = networks('blue', 'red')

// Every way in which an editor saves: one state comes, with the new content, and none in which anything is missing.
const STYLES: Readonly<Record<string, string>> = {
  'in place': `cat new > nets.yaml`,
  'written beside, renamed over': `cp new .nets.yaml.tmp; mv .nets.yaml.tmp nets.yaml`,
  'the old one moved to a backup, then written anew': `mv nets.yaml nets.yaml~; cp new nets.yaml`,
  'Vim with its test file 4913 and a swap file': `touch .nets.yaml.swp 4913; rm 4913; mv nets.yaml nets.yaml~; cp new nets.yaml; rm nets.yaml~ .nets.yaml.swp`,
  'Emacs with a lock and an autosave file': `ln -s op@host.1:2 .#nets.yaml; cp new '#nets.yaml#'; cp new nets.tmp; mv nets.tmp nets.yaml; rm .#nets.yaml '#nets.yaml#'`,
  'sed -i': `sed -i '$ a\\  red: {}' nets.yaml`,
  'deleted, made anew a moment later': `rm nets.yaml; sleep 0.15; cp new nets.yaml`,
  'truncated, then written': `: > nets.yaml; sleep 0.1; cat new > nets.yaml`,
}

for (const [style, script] of Object.entries(STYLES)) {
  test(`saved ${style}`, async (t) => {
    const dir = folder(t)
    put(dir, 'nets.yaml', BLUE)
    put(dir, 'new', BOTH)
    const w = await watched(t, dir)
    await shell(dir, script)
    await w.until((s) => s.tree.declared.size === 2)
    await w.rest()
    t.is(w.states.length, 2)
    t.deepEqual([...(w.states[1]?.touched ?? [])], ['network/default/red'])
    t.deepEqual(w.states[1]?.issues, [])
  })
}

/** Writes a file in small pieces. What it answers is its own longest pause, in ms: on a busy machine a writer is stopped for longer than it wants to be. */
async function writeSlowly(path: string, text: string): Promise<number> {
  const file = await open(path, 'w')
  let [longest, last] = [0, performance.now()]
  for (const chunk of text.match(/[\s\S]{1,7}/g) ?? []) {
    await file.write(chunk)
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
    await sleep(8)
  }
  await file.close()
  return longest
}

/** A file is at rest that was read twice with this between, unless it looks half-written (decision 008). */
const REST_MS = 20

test('truncated, then written slowly line by line: no state deletes anything', async (t) => {
  const names = Array.from({ length: 12 }, (_, i) => `n${i}`)
  for (let tries = 1; ; tries++) {
    const dir = folder(t)
    put(dir, 'nets.yaml', networks(...names))
    const w = await watched(t, dir)
    const pause = await writeSlowly(join(dir, 'nets.yaml'), networks(...names, 'last'))
    await w.until((s) => s.tree.declared.size === 13)
    await w.rest()
    const sizes = w.states.filter((s) => s.issues.length === 0).map((s) => s.tree.declared.size)
    if (sizes.length !== 2 && pause >= REST_MS && tries < 10) continue
    t.deepEqual(sizes, [12, 13])
    return
  }
})

test('an empty file, then one cut off behind a key, delete nothing; the same content again is healthy', async (t) => {
  const dir = folder(t)
  put(dir, 'nets.yaml', BOTH)
  const w = await watched(t, dir)
  put(dir, 'nets.yaml', '')
  t.deepEqual(
    (await w.until((s) => s.serial === 2)).issues.map((i) => i.code),
    ['E0104'],
  )
  put(dir, 'nets.yaml', 'networks:\n')
  t.deepEqual(
    (await w.until((s) => s.serial === 3)).issues.map((i) => i.code),
    ['E0304'],
  )
  put(dir, 'nets.yaml', 'networks: {\n')
  t.deepEqual(
    (await w.until((s) => s.serial === 4)).issues.map((i) => i.code),
    ['E0106'],
  )
  put(dir, 'nets.yaml', BOTH)
  const healthy = await w.until((s) => s.serial === 5)
  t.deepEqual(healthy.issues, [])
  t.is(healthy.tree.declared.size, 2)
})

test('touch, chmod and files beside YAML are no change', async (t) => {
  const dir = folder(t)
  put(dir, 'nets.yaml', BLUE)
  const w = await watched(t, dir)
  utimesSync(join(dir, 'nets.yaml'), new Date(), new Date())
  await shell(
    dir,
    'chmod 600 nets.yaml; echo x > README.md; mkdir .hidden; cp nets.yaml .hidden/n.yaml; cp nets.yaml .n.yaml; cp nets.yaml "#n.yaml"; cp nets.yaml n.yaml~',
  )
  await w.rest()
  t.is(w.states.length, 1)
})

test('the state beside the repo, hidden folders and other files do not even cause a look', async (t) => {
  const dir = folder(t)
  put(dir, 'nets.yaml', BLUE)
  put(dir, '.netloom/state.db', 'x')
  put(dir, '.git/HEAD', 'x')
  const w = await watched(t, dir)
  await sleep(500)
  const { looks } = w.watch.status()
  for (let i = 0; i < 5; i++) {
    put(dir, '.netloom/state.db-wal', `${i}`)
    put(dir, '.git/index', `${i}`)
    put(dir, 'state.db', `${i}`)
    put(dir, `notes-${i}.txt`, 'x')
    await sleep(50)
  }
  t.is(w.watch.status().looks, looks)
})

test('a port moved between two files is two saves: the recheck tells that something came after', async (t) => {
  const dir = folder(t)
  put(dir, 'a.yaml', BOTH)
  put(dir, 'b.yaml', networks('grey'))
  const w = await watched(t, dir)
  put(dir, 'a.yaml', BLUE)
  await w.until((s) => s.serial === 2)
  const answer = w.watch.recheckAfter(2000)
  put(dir, 'b.yaml', networks('grey', 'red'))
  t.is(await answer, 'changed')
  t.is(w.states[2]?.tree.declared.size, 3)
  t.is(await w.watch.recheckAfter(30), 'same')
})

test('who waits less than it takes to consider a state is answered all the same', async (t) => {
  const dir = folder(t)
  put(dir, 'a.yaml', BLUE)
  let answer: Promise<'same' | 'changed'> | undefined
  const w = await watched(t, dir, undefined, undefined, async ({ serial }, watch) => {
    if (serial !== 2) return
    answer = watch.recheckAfter(20)
    await sleep(200)
  })
  put(dir, 'a.yaml', BOTH)
  await w.until((s) => s.serial === 2)
  t.is(await Promise.race([answer, sleep(5000, 'nothing')]), 'same')
})

test('whose time comes between two looks is answered, too: not one of 1,000 is forgotten until the clock of looks', async (t) => {
  const dir = folder(t)
  put(dir, 'a.yaml', BLUE)
  const { watch } = await watched(t, dir)
  for (let n = 0; n < 1000; n++) {
    const answer = watch.recheckAfter((n % 20) / 10)
    t.is(await Promise.race([answer, sleep(5000, `nothing, of number ${n}`, { ref: false })]), 'same')
  }
})

test('a root that is renamed away and replaced is noticed, and so is one that comes back', async (t) => {
  const parent = folder(t)
  const dir = join(parent, 'repo')
  put(dir, 'nets.yaml', BLUE)
  put(join(parent, 'next'), 'nets.yaml', BOTH)
  const w = await watched(t, dir)
  renameSync(dir, join(parent, 'old'))
  renameSync(join(parent, 'next'), dir)
  await w.until((s) => s.tree.declared.size === 2)
  put(dir, 'more.yaml', networks('grey'))
  await w.until((s) => s.tree.declared.size === 3)
  renameSync(dir, join(parent, 'away'))
  while (w.watch.status().phase !== 'failing') await sleep(10)
  t.is(w.states.at(-1)?.tree.declared.size, 3)
  t.regex(w.problems[0]?.message ?? '', /does not exist/)
  renameSync(join(parent, 'away'), dir)
  while (w.watch.status().phase === 'failing') await sleep(10)
  await w.rest()
  t.is(w.states.length, 3)
})

test('a tree mounted as Kubernetes does it: one swap of ..data is one state', async (t) => {
  const dir = folder(t)
  put(dir, '..1/nets.yaml', BLUE)
  put(dir, '..1/more.yaml', networks('one'))
  put(dir, '..2/nets.yaml', BOTH)
  put(dir, '..2/more.yaml', networks('two'))
  symlinkSync('..1', join(dir, '..data'))
  symlinkSync('..data/nets.yaml', join(dir, 'nets.yaml'))
  symlinkSync('..data/more.yaml', join(dir, 'more.yaml'))
  const w = await watched(t, dir)
  symlinkSync('..2', join(dir, '..data_tmp'))
  renameSync(join(dir, '..data_tmp'), join(dir, '..data'))
  await w.until((s) => s.tree.declared.size === 3)
  await w.rest()
  t.is(w.states.length, 2)
  t.deepEqual([...(w.states[1]?.touched ?? [])].sort(), ['network/default/one', 'network/default/red', 'network/default/two'])
})

test('links to files and folders, elsewhere in the git worktree; circles and links that lead nowhere', async (t) => {
  const top = folder(t)
  await git(top, 'init', '-q')
  const dir = join(top, 'here')
  const outside = join(top, 'there')
  put(outside, 'far.yaml', networks('far'))
  put(outside, 'folder/f.yaml', networks('folder'))
  put(dir, 'nets.yaml', BLUE)
  symlinkSync(join(outside, 'far.yaml'), join(dir, 'link.yaml'))
  symlinkSync(join(outside, 'folder'), join(dir, 'sub'))
  const w = await watched(t, dir)
  t.deepEqual(w.names(), ['network/default/blue', 'network/default/far', 'network/default/folder'])
  put(outside, 'far.yaml', networks('far', 'away'))
  await w.until((s) => s.tree.declared.size === 4)
  mkdirSync(join(dir, 'deep'))
  symlinkSync('..', join(dir, 'deep/up'))
  await w.watch.rescan()
  const circle = await w.until((s) => s.issues.length > 0)
  t.deepEqual(
    circle.issues.map((i) => `${i.code} ${i.place?.file}`),
    ['E0116 deep/up'],
  )
  unlinkSync(join(dir, 'deep/up'))
  rmSync(join(outside, 'folder'), { recursive: true })
  const dangling = await w.until((s) => s.issues.some((i) => i.code === 'E0115'))
  t.deepEqual(
    dangling.issues.map((i) => `${i.code} ${i.place?.file}`),
    ['E0115 sub'],
  )
})

test('who saves and asks at once is answered with what was saved, one file or many', async (t) => {
  const dir = folder(t)
  put(dir, 'nets.yaml', BLUE)
  const w = await watched(t, dir)
  for (let n = 0; n < 10; n++) {
    put(dir, 'one.yaml', networks(`one-${n}`))
    if (n % 3 === 0) for (const name of ['a', 'b']) put(dir, `${name}.yaml`, networks(`${name}-${n}`))
    await w.watch.rescan()
    t.true(w.names().includes(`network/default/one-${n}`), `${n}: ${w.names().join(' ')}`)
  }
  await shell(dir, 'git init -q . && touch .git/index.lock')
  put(dir, 'one.yaml', networks('later'))
  await w.watch.rescan()
  t.false(w.names().includes('network/default/later'), 'git is at work: nothing is waited for')
})

test('a file that may not be read, a pipe, a folder with a file name: errors, never deletions', async (t) => {
  const dir = folder(t)
  put(dir, 'nets.yaml', BLUE)
  mkdirSync(join(dir, 'folder.yaml'))
  await shell(dir, 'mkfifo pipe.yaml')
  const w = await watched(t, dir)
  t.deepEqual(
    w.states[0]?.issues.map((i) => `${i.code} ${i.place?.file}`),
    ['E0101 pipe.yaml'],
  )
  t.deepEqual(w.names(), ['network/default/blue'])
})

test('without more events to be had, a rescan finds what was missed and counts it', async (t) => {
  const top = folder(t)
  await git(top, 'init', '-q')
  const dir = join(top, 'here')
  put(dir, 'nets.yaml', BLUE)
  const other = join(top, 'there')
  put(other, 'n.yaml', networks('n'))
  symlinkSync(join(other), join(dir, 'sub'))
  const w = await watched(t, dir, { from: 'worktree' }, 200)
  await appendFile(join(other, 'n.yaml'), '  m: {}\n')
  await w.until((s) => s.tree.declared.size === 3)
  t.pass()
})
