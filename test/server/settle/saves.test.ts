import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { makeKey } from '../../../src/model/key.ts'
import { MOST_PAUSES } from '../../../src/server/deletion-pause.ts'
import { type Server, startServer } from '../../../src/server/serve.ts'
import { until } from '../hub/fleet.ts'

/* Real files, saved as fast as an editor or a script would. */

const SETTLE_MS = 500

async function serve(
  t: ExecutionContext,
  ports: readonly string[],
): Promise<{ server: Server; save(ports: readonly string[]): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'nl-saves-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const save = (names: readonly string[]): Promise<void> =>
    writeFile(join(dir, 'ports.yaml'), `networks: { blue: {} }\nports:\n${names.map((n) => `  ${n}: { network: blue }\n`).join('')}`)
  await writeFile(
    join(dir, 'netloom.yaml'),
    `installation: test\nguards: { delete_settle_ms: ${SETTLE_MS}, delete_ratio: 1, delete_count: 100 }\n`,
  )
  await save(ports)
  const at = (name: string): string => `ipc://${join(dir, name)}`
  const server = await startServer({
    dir,
    stateFile: join(dir, '.netloom', 'state.db'),
    endpoints: { pub: at('.pub'), rpc: at('.rpc'), reports: at('.reports') },
    mode: 'auto',
    insecureLab: false,
    heartbeatMs: 1000,
    fresh: true,
    log: () => {},
    onFault: (reason) => t.fail(reason.message),
  })
  t.teardown(() => server.close())
  return { server, save }
}

const has = (server: Server, name: string): boolean => server.controller.base.world.resources.has(makeKey('port', 'default', name))

test('a port that is added while others go, save after save, is there within the bound', async (t) => {
  const old = Array.from({ length: 40 }, (_, n) => `old-${n}`)
  const { server, save } = await serve(t, old)
  await until('the first revision', () => has(server, 'old-39'))
  const began = performance.now()
  const patience = MOST_PAUSES * SETTLE_MS + 3000
  for (let gone = 1; !has(server, 'new') && performance.now() - began < patience && gone < old.length; gone++) {
    await save(['new', ...old.slice(gone)])
    await sleep(SETTLE_MS / 2.5)
  }
  const ms = performance.now() - began
  t.true(has(server, 'new'), `not after ${Math.round(ms)} ms`)
  t.true(ms > SETTLE_MS * 2, `deletions were not waited for: ${Math.round(ms)} ms`)
})

test('a port that leaves a file and comes back within delete_settle was never away', async (t) => {
  const { server, save } = await serve(t, ['a', 'b'])
  await until('the first revision', () => has(server, 'b'))
  const { revision } = server.controller.base
  await save(['a'])
  await until('a plan that waits', () => server.controller.repo.state === 'pending')
  await save(['a', 'b'])
  await until('the port is back', () => server.controller.repo.state === 'clean')
  await sleep(SETTLE_MS * 1.5)
  t.is(server.controller.base.revision, revision)
  await save(['a'])
  await until('the port is gone', () => !has(server, 'b'))
  t.is(server.controller.base.revision, revision + 1)
})
