import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { askControl } from '../../../src/server/control/socket.ts'
import { openDuty } from '../../../src/server/duty.ts'
import { controlPath, startServer } from '../../../src/server/serve.ts'
import { createWaitTeller } from '../../../src/server/waiting.ts'
import { until } from '../hub/fleet.ts'

test('the log says once why the repository is left alone, and once that it is followed again', (t) => {
  const log: string[] = []
  const tell = createWaitTeller((level, message, detail) => log.push([level, message, detail?.['why'] ?? ''].join(' ').trim()))
  const rebase = { phase: 'waiting', why: 'a rebase is not finished' } as const
  tell({ phase: 'waiting', why: 'one file changed' }, 0)
  tell({ phase: 'idle' }, 100)
  t.deepEqual(log, [], 'a save is no news')
  for (let at = 1000; at < 20_000; at += 500) tell(rebase, at)
  tell({ phase: 'idle' }, 20_000)
  tell({ phase: 'idle' }, 20_500)
  t.deepEqual(log, [
    'warn the repository is left alone for now; the last good state serves a rebase is not finished',
    'info the repository is followed again',
  ])
})

test('a rebase with conflicts under a server: nothing is planned from it, and everybody is told why', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'nl-rebase-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: dir, stdio: 'pipe' })
  const file = join(dir, 'nets.yaml')
  const save = (name: string): void => writeFileSync(file, `networks:\n  blue: {}\n  ${name}: {}\n`)
  writeFileSync(join(dir, 'netloom.yaml'), 'installation: test\n')
  save('base')
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-qm', 'base')
  git('checkout', '-qb', 'topic')
  save('topic')
  git('commit', '-qam', 'topic')
  git('checkout', '-q', 'main')
  save('other')
  git('commit', '-qam', 'other')
  git('checkout', '-q', 'topic')

  const at = (name: string): string => `ipc://${join(dir, name)}`
  const stateFile = join(dir, '.netloom', 'state.db')
  const server = await startServer({
    dir,
    stateFile,
    endpoints: { pub: at('.pub'), rpc: at('.rpc'), reports: at('.reports') },
    mode: 'auto',
    insecureLab: false,
    heartbeatMs: 1000,
    fresh: true,
    log: () => {},
    onFault: (reason) => t.fail(reason.message),
  })
  const duty = await openDuty(server, stateFile)
  t.teardown(async () => {
    await duty.close()
    await server.close()
  })
  await until('the first revision', () => server.controller.base.revision === 1)
  t.throws(() => git('rebase', 'main'))
  t.regex(readFileSync(file, 'utf8'), /<<<<<<</)
  await server.rescan()
  const status = await askControl(controlPath(stateFile), { command: 'status' })
  t.is(status['waiting'], 'a rebase is not finished')
  for (const command of ['plan', 'apply'])
    await t.throwsAsync(askControl(controlPath(stateFile), { command }), { message: /left alone for now: a rebase is not finished/ })
  t.is(server.controller.base.revision, 1)
  t.is(server.controller.repo.state, 'clean')

  git('rebase', '--abort')
  const plan = await askControl(controlPath(stateFile), { command: 'plan' })
  t.deepEqual(plan['issues'], [])
  save('after')
  const next = (await askControl(controlPath(stateFile), { command: 'plan' })) as { plan?: { changes: unknown[] } }
  t.true(server.controller.base.revision === 2 || (next.plan?.changes.length ?? 0) > 0, 'a plan is of what was saved last')
})
