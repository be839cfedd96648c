import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { until } from '../server/hub/fleet.ts'
import { netloom } from './netloom.ts'

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
        /^netloom: .*state\.db: SQLITE_\w+: .*\n {2}fix: the file is damaged and was left as it is: put a backup in its place/,
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
