import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'

/* Two agents on one machine and one state directory: programs of their own, because it is the kernel that frees the lock. */

const AGENTD = fileURLToPath(new URL('../../agentd/main.js', import.meta.url))

async function folder(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-lock-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

function start(t: ExecutionContext, dir: string, stateDir: string, backend = 'fake'): ChildProcess {
  const server = `ipc://${join(dir, 'nobody')}`
  const args = ['--backend', backend, '--host', 'h1', '--server', server, '--state-dir', stateDir, '--rundir', dir]
  const child = spawn(process.execPath, [AGENTD, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

/** Reads what it says until it has started or has ended. */
async function said(child: ChildProcess): Promise<string> {
  let text = ''
  const ended = once(child, 'close')
  await new Promise<void>((done) => {
    child.stderr?.on('data', (data: Buffer) => {
      text += data.toString()
      if (text.includes('"started"')) done()
    })
    void ended.then(() => done())
  })
  return text
}

test('a second agent on the same state directory is refused, and told whose it is; the first goes on', async (t) => {
  const dir = await folder(t)
  const first = start(t, dir, join(dir, 'state'))
  t.regex(await said(first), /"started"/)
  const second = start(t, dir, join(dir, 'state', '..', 'state'))
  const text = await said(second)
  t.is(second.exitCode, 1)
  t.regex(
    text,
    new RegExp(
      `^netloom-agentd: E0608: another agent \\(process ${first.pid}, since 20.*Z\\) has the state directory .*; stop that one first, or `,
    ),
  )
  t.is(first.exitCode, null)
  t.regex(await said(start(t, dir, join(dir, 'other'))), /"started"/, 'a directory of its own is free')
})

test('a second agent on the same switch is refused, whatever its state directory; where there is no switch yet, that is said', async (t) => {
  const dir = await folder(t)
  const first = start(t, dir, join(dir, 'one'), 'ovs')
  t.regex(await said(first), /"started"/)
  const second = start(t, dir, join(dir, 'two'), 'ovs')
  const text = await said(second)
  t.is(second.exitCode, 1)
  t.regex(text, new RegExp(`^netloom-agentd: E0608: another agent \\(process ${first.pid}, since 20.*Z\\) has the switch in ${dir}, `))
  first.kill('SIGKILL')
  await once(first, 'close')
  t.regex(await said(start(t, dir, join(dir, 'two'), 'ovs')), /"started"/)
  t.regex(await said(start(t, join(dir, 'absent'), join(dir, 'three'), 'ovs')), /there is no switch yet[^]*"started"/)
})

test('a lock into which nothing can be written, as on a full disk, holds all the same', async (t) => {
  const dir = await folder(t)
  await symlink('/dev/full', join(dir, 'agent.lock'))
  const first = start(t, dir, dir)
  t.regex(await said(first), /who has the lock could not be written[^]*"started"/)
  t.regex(await said(start(t, dir, dir)), /E0608: another agent /)
})

test('an agent that ended, by a signal or killed, leaves no lock behind', async (t) => {
  const dir = await folder(t)
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
    const agent = start(t, dir, dir)
    t.regex(await said(agent), /"started"/)
    t.regex(await said(start(t, dir, dir)), /E0608/)
    agent.kill(signal)
    await once(agent, 'close')
  }
})
