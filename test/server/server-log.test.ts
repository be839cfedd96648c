import test from 'ava'
import { DEFAULT_SITE } from '../../src/kinds/site/spec.ts'
import { warnOfRestart } from '../../src/server/server-log.ts'

test('endpoints and workers that a revision changes are said to wait for the next start; nothing is said of the rest', (t) => {
  const said: unknown[] = []
  const warn = (now: Partial<typeof DEFAULT_SITE>): void =>
    warnOfRestart((level, message, detail) => said.push([level, message, detail]), DEFAULT_SITE, { ...DEFAULT_SITE, ...now })
  warn({ path_mtu: 1400 })
  t.deepEqual(said, [])
  warn({ workers: { rpc: 2, reports: 1 } })
  warn({ endpoints: { ...DEFAULT_SITE.endpoints, pub: 'tcp://127.0.0.1:1' } })
  t.deepEqual(said, [
    ['warn', 'workers changed: they take effect when the server is started again', { rpc: 2, reports: 1 }],
    [
      'warn',
      'endpoints changed: they take effect when the server is started again',
      { ...DEFAULT_SITE.endpoints, pub: 'tcp://127.0.0.1:1' },
    ],
  ])
})
