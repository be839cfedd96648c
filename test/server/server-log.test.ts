import test from 'ava'
import { DEFAULT_SITE } from '../../src/kinds/site/spec.ts'
import { createKeylessWarner, warnOfRestart } from '../../src/server/server-log.ts'

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

test('a server without a key says once that its hosts have some; one with a key, or without such hosts, says nothing', (t) => {
  const said: string[] = []
  const warner = (hasKey: boolean): ReturnType<typeof createKeylessWarner> =>
    createKeylessWarner((level, message, detail) => said.push(`${level}: ${message} ${JSON.stringify(detail)}`), hasKey)
  const keys = new Map([['h1', 'a key']])
  warner(true)(keys)
  const warn = warner(false)
  warn(new Map())
  t.deepEqual(said, [])
  warn(keys)
  warn(keys)
  t.is(said.length, 1)
  t.regex(said[0] ?? '', /^warn: hosts have a public_key, and this server has no key: .*"hosts":1,"fix":"put the server\.key /)
})
