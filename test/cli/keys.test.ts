import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'

const NETLOOM = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const AGENTD = fileURLToPath(new URL('../../agentd/main.js', import.meta.url))

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function program(file: string, ...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (d: Buffer) => (out += d.toString()))
  child.stderr.on('data', (d: Buffer) => (err += d.toString()))
  return await new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, out, err })))
}

const netloom = (...args: string[]): Promise<Ended> => program(NETLOOM, ...args)

interface KeyList {
  readonly hosts: readonly { readonly host: string; readonly key: string; readonly last_seen?: string; readonly refused: number }[]
  readonly refused: readonly { readonly reason: string; readonly host: string; readonly count: number }[]
}

async function keyList(dir: string): Promise<KeyList> {
  return JSON.parse((await netloom('keys', 'list', dir, '--json')).out) as KeyList
}

async function until<T>(t: ExecutionContext, what: string, look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  for (let i = 0; i < 100; i++) {
    const seen = await look()
    if (holds(seen)) return seen
    await sleep(100)
  }
  t.log(await look())
  throw new Error(`it did not come true: ${what}`)
}

async function folder(t: ExecutionContext, hosts: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-keys-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await writeFile(join(dir, 'hosts.yaml'), hosts)
  return dir
}

function background(t: ExecutionContext, file: string, ...args: string[]): { text(): string } {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (d: Buffer) => (text += d.toString()))
  const gone = new Promise((resolve) => child.once('close', resolve))
  t.teardown(async () => {
    child.kill('SIGTERM')
    await gone
  })
  return { text: () => text }
}

test('keys new writes a secret file, prints one line to paste, and never writes over a key', async (t) => {
  const dir = await folder(t, 'hosts: { h1: {} }\n')
  const first = await netloom('keys', 'new', 'h1', '--dir', dir)
  t.is(first.code, 0)
  t.regex(first.out, /^ {4}public_key: '[^']{40}'$/m)
  t.regex(first.out, /Made the server's key/)
  const file = join(dir, '.netloom', 'h1.key')
  t.is((await stat(file)).mode & 0o777, 0o600)
  t.is((await stat(join(dir, '.netloom', 'server.key'))).mode & 0o777, 0o600)
  t.is(await readFile(join(dir, '.netloom', '.gitignore'), 'utf8'), '*\n')
  const saved = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>
  t.true(first.out.includes(saved['public_key'] ?? '-') && !first.out.includes(saved['secret_key'] ?? '-'))
  const again = await netloom('keys', 'new', 'h1', '--dir', dir)
  t.is(again.code, 1)
  t.regex(again.err, /exists; nothing was written/)
  t.is((await netloom('keys', 'server', dir)).out.trim(), saved['server_key'] ?? '')
  await writeFile(join(dir, 'open.key'), JSON.stringify(saved), { mode: 0o644 })
  for (const [key, host, why] of [
    [join(dir, 'open.key'), 'h1', /can be read by others/],
    [file, 'h2', /is the key of host h1, and this agent is h2/],
    [join(dir, 'hosts.yaml'), 'h1', /can be read by others|no key file/],
  ] as const) {
    const agent = await program(
      AGENTD,
      '--host',
      host,
      '--server',
      'tcp://127.0.0.1:9',
      '--keys',
      key,
      '--backend',
      'fake',
      '--state-dir',
      dir,
    )
    t.is(agent.code, 1)
    t.regex(agent.err, why)
  }
})

test('a bind that other machines reach is refused without keys, and made with them', async (t) => {
  const dir = await folder(t, 'hosts: { h1: {} }\n')
  const all = ['--rpc', 'tcp://0.0.0.0:*', '--pub', 'tcp://0.0.0.0:*', '--reports', 'tcp://0.0.0.0:*']
  const refused = await netloom('serve', dir, ...all)
  t.is(refused.code, 1)
  t.regex(refused.err, /E0602: .*there are no keys .*netloom keys new HOST/)
  t.is((await netloom('keys', 'server', dir)).code, 0)
  const server = background(t, NETLOOM, 'serve', dir, ...all)
  await until(
    t,
    'it serves',
    () => Promise.resolve(server.text()),
    (text) => text.includes('"keys":true'),
  )
})

test('a line in YAML lets a host in, and taking it out expels it at the next revision, in separate processes', async (t) => {
  const dir = await folder(t, 'hosts:\n  h1:\n    description: first\n  h2: {}\n')
  const made = JSON.parse((await netloom('keys', 'new', 'h1', '--dir', dir, '--json')).out) as {
    readonly file: string
    readonly yaml: string
  }
  const at = (name: string): string => `ipc://${join(dir, '.netloom', name)}`
  background(t, NETLOOM, 'serve', dir, '--rpc', at('rpc'), '--pub', at('pub'), '--reports', at('reports'), '--heartbeat', '200')
  const args = ['--host', 'h1', '--server', at('rpc'), '--keys', made.file, '--backend', 'fake', '--state-dir', join(dir, '.netloom', 'h1')]
  const agent = background(t, AGENTD, ...args)
  await until(
    t,
    'the agent is told why it is not let in',
    () => Promise.resolve(agent.text()),
    (text) => text.includes('E0605: the server knows no such key'),
  )
  await writeFile(join(dir, 'hosts.yaml'), `hosts:\n  h1:\n    description: first\n    ${made.yaml}\n  h2: {}\n`)
  const there = await until(
    t,
    'h1 has reported',
    () => keyList(dir),
    (l) => l.hosts[0]?.last_seen !== undefined,
  )
  t.deepEqual(
    there.hosts.map((h) => [h.host, h.key]),
    [
      ['h1', 'yes'],
      ['h2', 'none'],
    ],
  )
  t.true(there.refused.some((r) => r.reason === 'unknown-key' && r.count > 0))
  await writeFile(join(dir, 'hosts.yaml'), 'hosts:\n  h1:\n    description: first\n  h2: {}\n')
  const gone = await until(
    t,
    'h1 is refused',
    () => keyList(dir),
    (l) => l.hosts[0]?.key === 'none' && l.refused.some((r) => r.reason === 'no-key'),
  )
  t.is(gone.hosts[0]?.key, 'none')
  await until(
    t,
    'the agent is told',
    () => Promise.resolve(agent.text()),
    (text) => text.includes('E0605: host h1 has no key here'),
  )
  const status = await netloom('status', dir)
  t.regex(status.out, /Refused since the server started: \d+ \(/)
  t.true((JSON.parse((await netloom('status', dir, '--json')).out) as KeyList).refused.length > 0)
})
