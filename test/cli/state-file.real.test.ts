import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, cp, mkdir, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { until } from '../server/hub/fleet.ts'
import { type Ended, netloom } from './netloom.ts'

const SAMPLE = fileURLToPath(new URL('../../../samples/01-three-hosts', import.meta.url))
const NETLOOM = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

async function sample(t: ExecutionContext): Promise<{ dir: string; state: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-state-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await cp(SAMPLE, dir, { recursive: true })
  return { dir, state: join(dir, '.netloom', 'state.db') }
}

async function scribble(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  await handle.write(Buffer.alloc(100, 0xa5), 0, 100, 0)
  await handle.close()
}

test('a damaged state file is named with the way out, and left as it is', async (t) => {
  const { dir, state } = await sample(t)
  await netloom('apply', '--dir', dir)
  const whole = await readFile(state)
  for (const damage of [() => scribble(state), () => truncate(state, 20_000), () => truncate(state, 50)]) {
    await writeFile(state, whole)
    await damage()
    const damaged = await readFile(state)
    for (const args of [
      ['plan', dir],
      ['apply', '--dir', dir],
      ['status', dir],
      ['history', dir],
      ['serve', dir],
    ]) {
      const { code, err } = await netloom(...args)
      t.is(code, 1, args.join(' '))
      t.regex(
        err,
        /^netloom: .*state\.db: (SQLITE_\w+: |50 bytes are no database).*\n {2}fix: the file is damaged and was left as it is: put a backup in its place/,
        args.join(' '),
      )
    }
    t.deepEqual(await readFile(state), damaged)
  }
  await writeFile(state, whole)
  t.regex((await netloom('plan', dir)).out, /^No changes/)
})

test('a disk that is full during a commit: the last revision serves, and the next one comes when there is room', async (t) => {
  const { dir, state } = await sample(t)
  await mkdir(join(dir, '.netloom'))
  const at = (name: string): readonly string[] => [`--${name}`, `ipc://${join(dir, `.${name}`)}`]
  const serve = [process.execPath, NETLOOM, 'serve', dir, '--fresh', ...at('pub'), ...at('rpc'), ...at('reports')]
  const script = `mount -t tmpfs -o size=1m tmpfs ${join(dir, '.netloom')} && exec "$@"`
  const child = spawn('unshare', ['-m', 'sh', '-c', script, 'sh', ...serve], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  let log = ''
  child.stderr.on('data', (text: Buffer) => (log += text.toString()))
  await until('the first revision', () => log.includes('"revision":1,"plan"'))
  // The child's own file system, seen from outside.
  const fill = `/proc/${child.pid}/root${join(dir, '.netloom', 'fill')}`
  t.false(existsSync(state))
  await writeFile(fill, Buffer.alloc(2 << 20)).catch(() => undefined)
  const file = join(dir, 'blue.yaml')
  const more = Array.from({ length: 100 }, (_, n) => `  x${n}: { network: blue, host: h3 }\n`).join('')
  await writeFile(file, `${await readFile(file, 'utf8')}${more}`)
  await until('a commit that fails', () => log.includes('the state file cannot be written; the last revision serves'))
  t.is(child.exitCode, null)
  await rm(fill)
  await until('the second revision', () => log.includes('"revision":2,"plan"'))
  t.regex(log, /"revision":2,"plan":"[^"]+","create":100/)
  child.kill('SIGTERM')
  t.is(await ended, 0)
})

const READING: readonly (readonly string[])[] = [['status'], ['history'], ['quota', '--dir'], ['availability'], ['show', 'host', 'h1']]

/** What only reads, of this repository. */
function reading(dir: string, state: string): readonly (readonly string[])[] {
  return READING.map((args) => [...args, dir, '--state', state])
}

/** As `netloom`, by a program that is handed it as its last arguments. */
async function netloomBy(by: readonly string[], ...args: readonly string[]): Promise<Ended> {
  const [program = '', ...first] = by
  const child = spawn(program, [...first, process.execPath, NETLOOM, ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' })
  let out = ''
  let err = ''
  child.stdout.on('data', (d: Buffer) => (out += d.toString()))
  child.stderr.on('data', (d: Buffer) => (err += d.toString()))
  return await new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, out, err })))
}

test('a state file that was emptied is refused with what that means, and not touched', async (t) => {
  const { dir, state } = await sample(t)
  await netloom('apply', '--dir', dir)
  await truncate(state, 0)
  for (const args of [['plan', dir], ['apply', '--dir', dir], ['serve', dir], ...reading(dir, state)]) {
    const { code, err } = await netloom(...args)
    t.is(code, 1, args.join(' '))
    t.regex(
      err,
      /^netloom: E0810: the state file .*state\.db is empty, and was not: .*state\.db-held says .*\n {2}fix: put a backup in its place\. /,
      args.join(' '),
    )
    t.regex(err, /addresses and numbers that were chosen are lost/)
  }
  t.is((await readFile(state)).length, 0)
  await rm(state)
  const { code, err } = await netloom('status', dir)
  t.is(code, 1)
  t.regex(err, /^netloom: the state file .*state\.db is gone: .*\n {2}fix: put a backup in its place; /)
  // To plan goes on, however often, and says so until there is a revision again.
  for (let i = 0; i < 2; i++) t.regex((await netloom('plan', dir)).out, /W0810.*holds no revision, and .*state\.db-held says that it did/)
  t.regex((await netloom('apply', '--dir', dir)).err, /W0810/)
  t.notRegex((await netloom('plan', dir)).out, /W0810/)
})

test('an empty state file of a first start that was cut short, with a key beside it, is made as if there were none', async (t) => {
  const { dir, state } = await sample(t)
  await netloom('keys', 'server', dir)
  t.true(existsSync(join(dirname(state), 'server.key')))
  await writeFile(state, '')
  t.regex((await netloom('status', dir)).err, /nothing was ever applied/)
  t.is((await readFile(state)).length, 0)
  const { code, out, err } = await netloom('plan', dir)
  t.is(code, 0, err)
  t.notRegex(out, /W0810/)
})

test('an empty state file beside a log with content is refused before SQLite deletes the log', async (t) => {
  const { dir, state } = await sample(t)
  await mkdir(dirname(state))
  await writeFile(state, '')
  await writeFile(`${state}-wal`, 'x'.repeat(32))
  for (const args of [
    ['plan', dir],
    ['status', dir],
  ])
    t.regex((await netloom(...args)).err, /E0810: .*its write-ahead log .*state\.db-wal has content/)
  t.is((await readFile(`${state}-wal`)).length, 32)
})

test('on a full disk everything that only reads can be read, and what writes says what is wrong', async (t) => {
  const { dir, state } = await sample(t)
  await netloom('apply', '--dir', dir)
  const full = join(dir, '.full')
  await mkdir(full)
  const script = `mount -t tmpfs -o size=1m tmpfs ${full} && cp ${state} ${full}/ && { cat /dev/zero > ${full}/fill 2>/dev/null || true; } && exec "$@"`
  const onFull = ['unshare', '-m', 'sh', '-c', script, 'sh']
  for (const args of reading(dir, join(full, 'state.db'))) {
    const { code, err } = await netloomBy(onFull, ...args)
    t.is(code, 0, `${args.join(' ')}: ${err}`)
  }
  t.regex((await netloomBy(onFull, 'history', dir, '--state', join(full, 'state.db'))).out, /^ *REV|^ *1 /m)
  const { code, err } = await netloomBy(onFull, 'apply', '--dir', dir, '--state', join(full, 'state.db'))
  t.is(code, 1)
  t.regex(err, /fix: nothing was written: is the disk full/)
})

const NOBODY = 65_534

test('another user may read where the files let it, and is told where not', async (t) => {
  const { dir, state } = await sample(t)
  await netloom('apply', '--dir', dir)
  for (const path of [dirname(dir), dir, dirname(state)]) await chmod(path, 0o755)
  const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
  for (const args of reading(dir, state)) {
    const { code, err } = await netloomBy(asNobody, ...args)
    t.is(code, 0, `${args.join(' ')}: ${err}`)
  }
  for (const args of [
    ['plan', dir],
    ['apply', '--dir', dir],
  ]) {
    const { code, err } = await netloomBy(asNobody, ...args)
    t.is(code, 1)
    t.regex(
      err,
      /^netloom: E0811: user nobody may not write .*state\.db, which is user 0's \(mode 6\d\d\)\n {2}fix: run it as the user that runs `netloom serve`/,
    )
  }
  await chown(state, NOBODY, NOBODY)
  t.regex((await netloomBy(asNobody, 'plan', dir)).err, /E0811: user nobody may not write into .*\.netloom,/)
  await chmod(dirname(state), 0o700)
  for (const args of [
    ['plan', dir],
    ['status', dir],
  ])
    t.regex((await netloomBy(asNobody, ...args)).err, /EACCES.*\n {2}fix: run it as the user that runs `netloom serve`/)
  t.regex(
    (await netloomBy(asNobody, 'history', dir)).err,
    /E0811: user nobody may not look into .*\.netloom, which is user 0's \(mode 700\)/,
  )
})
