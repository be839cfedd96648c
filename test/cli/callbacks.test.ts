import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import type { CallsView } from '../../src/server/render/callbacks.ts'

const NETLOOM = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

/** A third party's plugin: keeps the port `db`, and books created ports once the file `open` is there. */
const ACME = `
import { appendFileSync, existsSync } from 'node:fs'
const here = new URL('.', import.meta.url)
export const plugin = {
  name: 'acme', role: 'service', summary: 'Books ports.', provides: [], extensions: [], agent_roles: [],
  subscriptions: [
    { name: 'keep', stage: 'before', kind: 'port', verbs: ['delete'],
      judge: ({ key }) => key === 'port/default/db' ? [{ code: 'E9001', message: 'somebody needs it', hint: 'ask the owners of db' }] : [] },
    { name: 'book', stage: 'after', kind: 'port', verbs: ['create'],
      async act({ key, after }, { revision }) {
        if (!existsSync(new URL('open', here))) throw new Error('the ledger is closed')
        appendFileSync(new URL('ledger', here), revision + ' ' + key + ' ' + after.spec.network + '\\n')
      } },
    { name: 'doors', stage: 'system', events: ['process/after_start', 'process/before_stop'],
      async act({ name }) { appendFileSync(new URL('doors', here), name + '\\n') } },
  ],
}
`
const REPO = `networks: { blue: {} }
subnets: { b: { network: blue, cidr: 10.1.0.0/24 } }
ports:
  web: { network: blue }
  db: { network: blue }
`

async function folder(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-callbacks-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await writeFile(join(dir, 'netloom.yaml'), 'service_plugins:\n  - ./acme.mjs\n')
  await writeFile(join(dir, 'acme.mjs'), ACME)
  await writeFile(join(dir, 'a.yaml'), REPO)
  return dir
}

async function netloom(...args: string[]): Promise<{ readonly code: number; readonly out: string }> {
  const child = spawn(process.execPath, [NETLOOM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (d: Buffer) => (out += d.toString()))
  const [code] = (await once(child, 'close')) as [number]
  return { code, out }
}

async function serve(t: ExecutionContext, dir: string): Promise<ChildProcess> {
  const endpoints = ['pub', 'rpc', 'reports'].flatMap((name) => [`--${name}`, `ipc://${dir}/${name}.sock`])
  const child = spawn(process.execPath, [NETLOOM, 'serve', dir, ...endpoints], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

async function callsWhen(dir: string, wanted: (calls: CallsView) => boolean): Promise<CallsView> {
  for (const late = Date.now() + 30_000; ; ) {
    const { callbacks } = JSON.parse((await netloom('status', dir, '--json')).out) as { readonly callbacks: CallsView }
    if (wanted(callbacks)) return callbacks
    if (Date.now() > late) throw new Error(`still ${JSON.stringify(callbacks)}`)
  }
}

test('a call that fails is shown by status, outlives kill -9 of the server between two tries, and is made', async (t) => {
  t.timeout(120_000)
  const dir = await folder(t)
  const first = await serve(t, dir)
  const before = await callsWhen(dir, (calls) => calls.failing === 2)
  await end(first, 'SIGKILL')

  const alone = await netloom('status', dir)
  t.regex(alone.out, /acme book +after create port db +1 .*the ledger is closed/)
  t.regex(alone.out, /acme book +after create port web +1 .*the ledger is closed/)
  t.regex(alone.out, /2 calls to subscribers waiting, 2 failed before: made when a server is started\./)

  const second = await serve(t, dir)
  const tries = before.calls[0]?.attempts ?? 0
  const again = await callsWhen(dir, (calls) => calls.calls.every((c) => c.attempts > tries))
  t.is(again.total, 2)
  t.regex((await netloom('status', dir)).out, /2 failed before: tried again until they succeed\./)
  await writeFile(join(dir, 'open'), '')
  await callsWhen(dir, (calls) => calls.total === 0)
  t.false((await netloom('status', dir)).out.includes('acme'))
  await end(second, 'SIGTERM')
  t.deepEqual((await readFile(join(dir, 'ledger'), 'utf8')).trim().split('\n').sort(), [
    '1 port/default/db blue',
    '1 port/default/web blue',
  ])
  t.is(
    await readFile(join(dir, 'doors'), 'utf8'),
    'process/after_start\nprocess/after_start\nprocess/before_stop\n',
    'a server that is killed tells nobody that it stops',
  )
})

test('plan shows who refuses the deletion of a port, and where the port stood; nothing of it is applied', async (t) => {
  const dir = await folder(t)
  t.is((await netloom('apply', '--dir', dir)).code, 4)
  await writeFile(join(dir, 'a.yaml'), REPO.replace('  db: { network: blue }\n', '  more: { network: blue }\n'))
  const planned = await netloom('plan', dir)
  t.is(planned.code, 1)
  t.regex(planned.out, /E9001.*plugin acme refuses the delete of port db \(before keep\): somebody needs it/)
  t.regex(planned.out, /a\.yaml:5:3/)
  t.regex(planned.out, /ask the owners of db/)
  t.is((await netloom('apply', '--dir', dir)).code, 1)
  const { revisions } = JSON.parse((await netloom('history', dir, '--json')).out) as { readonly revisions: readonly unknown[] }
  t.is(revisions.length, 1)
  t.is((await netloom('validate', dir)).code, 0, 'by itself the repository is sound')
})
