import { type ChildProcess, spawn } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { until } from '../server/hub/fleet.ts'
import { netloom } from './netloom.ts'

const SAMPLE = fileURLToPath(new URL('../../../samples/01-three-hosts', import.meta.url))
const NETLOOM = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  err(): string
}

function start(t: ExecutionContext, ...args: readonly string[]): Started {
  const child = spawn(process.execPath, [NETLOOM, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  let err = ''
  child.stderr.on('data', (text: Buffer) => (err += text.toString()))
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  return { child, ended, err: () => err }
}

test('Ctrl-C while apply watches the hosts: what is committed stays, and the next command is said', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-interrupt-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await cp(SAMPLE, dir, { recursive: true })
  const at = (name: string): readonly string[] => [`--${name}`, `ipc://${join(dir, `.${name}`)}`]
  const server = start(t, 'serve', dir, '--fresh', '--manual', ...at('pub'), ...at('rpc'), ...at('reports'))
  await until('a server', () => server.err().includes('"msg":"serving"'))
  // No agent runs: apply waits for the hosts.
  const apply = start(t, 'apply', '--dir', dir)
  await until('a committed revision', () => apply.err().includes('never heard of'))
  apply.child.kill('SIGINT')
  t.is(await apply.ended, 4)
  t.true(
    apply
      .err()
      .endsWith(
        `interrupted; once more ends this at once\nnetloom: interrupted: the revision is committed, and the hosts go on to it by themselves\n  fix: netloom status ${dir} shows how far they are\n`,
      ),
    apply.err(),
  )
  t.regex((await netloom('status', dir)).out, /Revision 1: 0 of 3 hosts synced/)
})

test('the second Ctrl-C ends at once with 130', async (t) => {
  const program = `
    const { withInterrupt } = await import(${JSON.stringify(new URL('../../src/cli/interrupt.js', import.meta.url).href)})
    const output = { say: (line) => process.stderr.write(line + '\\n') }
    setInterval(() => {}, 1000)
    await withInterrupt(output, () => {
      process.stderr.write('ready\\n')
      return new Promise(() => {})
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  let err = ''
  child.stderr.on('data', (text: Buffer) => (err += text.toString()))
  await until('it works', () => err.includes('ready'))
  child.kill('SIGINT')
  await until('the first is told', () => err.includes('once more'))
  t.is(child.exitCode, null)
  child.kill('SIGINT')
  t.is(await ended, 130)
})
