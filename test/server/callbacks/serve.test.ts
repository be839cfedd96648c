import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { type Server, startServer } from '../../../src/server/serve.ts'
import { ipcEndpoints, startAgent } from '../hub/fleet.ts'

test('a running server tells of an agent it never heard of, once, also when it is started again', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-tells-'))
  const endpoints = await ipcEndpoints()
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  t.teardown(() => endpoints.remove())
  await writeFile(join(dir, 'a.yaml'), 'hosts: { h1: { tunnel_ip: 192.0.2.1 } }\n')
  const log: string[] = []
  const serve = (): Promise<Server> =>
    startServer({
      dir,
      stateFile: join(dir, '.netloom', 'state.db'),
      endpoints,
      mode: 'auto',
      insecureLab: false,
      heartbeatMs: 100,
      onFault: (reason) => log.push(`fault ${reason.message}`),
      log: (_level, message, detail = {}) => log.push(`${message} ${String(detail['host'] ?? '')}`),
    })
  const heard = async (server: Server, after: number): Promise<void> => {
    for (const late = Date.now() + 20_000; (server.record('h1')?.heardAt ?? 0) <= after; await sleep(20)) {
      if (Date.now() > late) throw new Error(`h1 was not heard: ${log.join('; ')}`)
    }
  }
  const first = await serve()
  startAgent(t, { server: endpoints.rpc, host: 'h1' })
  await heard(first, 0)
  await first.close()
  const restarted = performance.now()
  const second = await serve()
  await heard(second, restarted)
  await second.close()
  t.deepEqual(
    log.filter((line) => line.startsWith('an agent')),
    ['an agent reports for the first time h1'],
  )
})
