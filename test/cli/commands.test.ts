import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { netloom } from './netloom.ts'

const SAMPLE = fileURLToPath(new URL('../../../samples/01-three-hosts', import.meta.url))

async function folder(t: ExecutionContext, sample = true): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-cli-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  if (sample) await cp(SAMPLE, dir, { recursive: true })
  return dir
}

async function edit(dir: string, file: string, from: string, to: string): Promise<void> {
  const path = join(dir, file)
  const text = await readFile(path, 'utf8')
  if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`)
  await writeFile(path, text.replace(from, to))
}

test('init, validate, plan: a newcomer gets a plan without writing a line', async (t) => {
  const dir = await folder(t, false)
  t.is((await netloom('init', dir)).code, 0)
  t.is((await netloom('validate', dir)).code, 0)
  const planned = await netloom('plan', dir)
  t.is(planned.code, 0)
  t.regex(planned.out, /\+ network blue/)
  t.true(planned.out.includes(`--dir ${dir}`), 'what it says to type next works from where it was typed')
  const again = await netloom('init', dir)
  t.is(again.code, 1)
  t.regex(again.err, /already has YAML files .*nothing was written/)
})

test('apply without a server commits, says that nothing was published, and exits 4; then there is nothing to do', async (t) => {
  const dir = await folder(t)
  t.is((await netloom('plan', dir, '--detailed-exitcode')).code, 2)
  const applied = await netloom('apply', '--dir', dir)
  t.is(applied.code, 4)
  t.regex(applied.out, /Committed revision 1\. No server runs/)
  const second = await netloom('plan', dir, '--detailed-exitcode')
  t.is(second.code, 0)
  t.regex(second.out, /^No changes/)
  t.is((await netloom('apply', '--dir', dir)).code, 0)
  t.regex((await netloom('history', dir)).out, /1/)
})

test('a command line that is none: exit 1, and with --json a document as ever', async (t) => {
  const dir = await folder(t)
  await netloom('apply', '--dir', dir)
  for (const args of [
    ['plan', dir, '--frob'],
    ['history', dir, '-n', 'abc'],
    ['serve', dir, '--heartbeat', '0'],
    ['serve', dir, '--rpc', 'tcp://h'],
    ['serve', dir, '--pub', 'tcp://127.0.0.1:99999'],
    ['serve', dir, '--reports', 'ipc://'],
  ]) {
    const told = await netloom(...args, '--json')
    t.is(told.code, 1, args.join(' '))
    const said = JSON.parse(told.out) as { format_version: string; errored: boolean; message: string }
    t.is(said.format_version, '1.0')
    t.true(said.errored && said.message.length > 10)
    t.regex((await netloom(...args)).err, /^error: /)
  }
})

test('--verbose shows what a plan says it would', async (t) => {
  const dir = await folder(t)
  t.regex((await netloom('plan', dir)).out, /\(--verbose/)
  const all = await netloom('plan', dir, '--verbose')
  t.is(all.code, 0)
  t.notRegex(all.out, /--verbose/)
  await netloom('apply', '--dir', dir)
  for (const command of ['status', 'history']) t.is((await netloom(command, dir, '--verbose')).code, 0)
})

test('a plugin that never finishes loading is named after ten seconds, and the command ends', async (t) => {
  const dir = await folder(t)
  await writeFile(join(dir, 'slow.js'), 'setInterval(() => {}, 1000); await new Promise(() => {})')
  await writeFile(join(dir, 'netloom.yaml'), 'installation: slow\nservice_plugins: [./slow.js]\n')
  const { code, out } = await netloom('validate', dir, '--json')
  t.is(code, 1)
  t.regex(out, /"code":"E0711".*\.\/slow\.js cannot be loaded: it has not finished loading after 10 s/)
})

test('what is no repository is said at once, and nothing is made in it', async (t) => {
  for (const command of ['validate', 'plan', 'serve']) {
    const { code, err } = await netloom(command, '/proc')
    t.is(code, 1, command)
    t.regex(err, /^netloom: \/proc is the kernel's proc file system.*; name the folder that holds netloom\.yaml\n$/, command)
  }
  const missing = join(await folder(t, false), 'typo')
  for (const command of ['plan', 'serve']) t.regex((await netloom(command, missing)).err, /typo does not exist/)
  t.false(existsSync(missing))
  const none = await netloom('status', await folder(t))
  t.is(none.code, 1)
  t.regex(none.err, /nothing was ever applied from .*\n {2}fix: netloom plan /)
  for (const args of [['plan'], ['validate'], ['status'], ['history'], ['drift'], ['apply', '--dir']]) {
    const { code, err } = await netloom(...args, '/etc/passwd')
    t.is(code, 1)
    t.is(err, 'netloom: /etc/passwd is no folder; name the folder that holds netloom.yaml\n', args.join(' '))
  }
  t.regex((await netloom('plan', '')).err, /DIR is empty/)
  t.regex((await netloom('init', '/etc/passwd')).err, /\/etc\/passwd is no folder; nothing was written/)
  t.regex((await netloom('init', '/proc/x')).err, /the folder \/proc\/x cannot be made/)
  t.regex((await netloom('plan', await folder(t), '--state', '/proc/x/y/state.db')).err, /the folder \/proc\/x cannot be made/)
})

test('a stored plan is applied exactly, or refused as stale', async (t) => {
  const dir = await folder(t)
  const first = /Plan (p-[0-9a-f]+)/.exec((await netloom('plan', dir)).out)?.[1] ?? ''
  await edit(dir, 'blue.yaml', '  db-1:', '  db-9: { network: blue, host: h3 }\n  db-1:')
  const applied = await netloom('apply', first, '--dir', dir, '--json')
  t.is(applied.code, 4)
  t.is((JSON.parse(applied.out) as { plan: string }).plan, first)
  const rest = await netloom('plan', dir)
  t.regex(rest.out, /1 to create/, 'what was edited after the plan was not part of it')
  const stale = await netloom('apply', first, '--dir', dir)
  t.is(stale.code, 1)
  t.regex(stale.err, /stale: it was made against revision 0/)
  t.regex((await netloom('apply', 'p-00000000', '--dir', dir)).err, /there is no plan p-00000000/)
})

test('mistakes: exit 1, a place, a fix, and nothing is planned', async (t) => {
  const dir = await folder(t)
  await edit(dir, 'blue.yaml', 'web-2: { network: blue,', 'web-2: { netwrok: blue,')
  for (const command of ['validate', 'plan']) {
    const { code, out } = await netloom(command, dir)
    t.is(code, 1)
    t.regex(out, /blue\.yaml:10:/)
    t.regex(out, /network/)
  }
  const json = await netloom('validate', dir, '--json')
  const issues = (JSON.parse(json.out) as { valid: boolean; issues: { code: string }[] }).issues
  t.true(issues.length > 0)
  t.regex(issues[0]?.code ?? '', /^E\d{4}$/)
})

test('an address that YAML reads as a number is to be written in full, not quoted', async (t) => {
  const dir = await folder(t)
  await edit(dir, 'hosts.yaml', 'tunnel_ip: 192.0.2.1', 'tunnel_ip: 10.0')
  const { code, out } = await netloom('validate', dir)
  t.is(code, 1)
  t.regex(out, /error\[E0329\]: host h1: `tunnel_ip`: the number 10 is no address\n/)
  t.regex(out, /= help: write it in full, such as 192\.0\.2\.1\n/)
  t.notRegex(out, /W015|"10/)
})

test('an emptied repository deletes nothing: guards refuse with exit 3 and the exact override', async (t) => {
  const dir = await folder(t)
  await netloom('apply', '--dir', dir)
  let ports = 'project: bulk\nnetworks: { n: {} }\nsubnets: { s: { network: n, cidr: 10.30.0.0/24 } }\nports:\n'
  for (let i = 0; i < 30; i++) ports += `  p${i}: { network: n }\n`
  await writeFile(join(dir, 'bulk.yaml'), ports)
  await netloom('apply', '--dir', dir)
  await writeFile(join(dir, 'bulk.yaml'), 'project: bulk\nnetworks: { n: {} }\n')
  const refused = await netloom('apply', '--dir', dir)
  t.is(refused.code, 3)
  t.true(refused.out.includes(`--dir ${dir} --allow`), 'what it says to type works from where it was typed')
  const override = /--allow (delete-count=\d+)/.exec(refused.out)?.[1] ?? ''
  t.regex(override, /delete-count=32/)
  const half = await netloom('apply', '--dir', dir, '--allow', 'delete-count=32', '--allow', 'delete-ratio=3')
  t.is(half.code, 3)
  t.true(
    half.out.includes('--allow delete-ratio=30 --allow delete-count=32 --reason') ||
      half.out.includes('--allow delete-count=32 --allow delete-ratio=30 --reason'),
    half.out,
  )
  t.regex(half.out, /\n--allow delete-ratio=3 is not the plan's number, 30\n$/)
  const overrides = [...refused.out.matchAll(/--allow ([a-z-]+=\d+)/g)].map((m) => m[1] ?? '')
  t.is((await netloom('apply', '--dir', dir, ...overrides.flatMap((o) => ['--allow', o]))).code, 4)
  t.regex((await netloom('history', dir)).out, /-32 .*--allow delete-ratio=30 --allow delete-count=32/, 'what let it pass is recorded')
  const nonsense = await netloom('apply', '--dir', dir, '--allow', 'nonsense')
  t.is(nonsense.code, 1)
  t.regex(nonsense.err, /^error: .*'nonsense' is invalid.*guards: installation, vanished-file, delete-ratio, delete-count, renumber\n/)
})

test('output that is not a terminal has no colour; --json is one document with a version', async (t) => {
  const dir = await folder(t)
  const text = await netloom('plan', dir)
  t.false(text.out.includes('\u001b['))
  for (const args of [
    ['plan', dir],
    ['validate', dir],
    ['apply', '--dir', dir],
    ['status', dir],
    ['history', dir],
  ]) {
    const { out } = await netloom(...args, '--json')
    t.is(typeof (JSON.parse(out) as { format_version: unknown }).format_version, 'string', args.join(' '))
  }
})

test('drift without a server says what to do instead', async (t) => {
  const dir = await folder(t)
  const { code, err } = await netloom('drift', dir)
  t.is(code, 1)
  t.regex(err, /no server runs on .*\n.*netloom serve/)
})

test('three tiers: the default group is there because a port uses it, what is used cannot become stateless, and goes with its last user', async (t) => {
  const dir = await folder(t, false)
  await cp(fileURLToPath(new URL('../../../samples/02-three-tier', import.meta.url)), dir, { recursive: true })
  t.regex((await netloom('plan', dir)).out, /\+ security_group shop\/default {2}tiers\.yaml:\d+:3 {2}because port shop\/cron-1 uses it/)
  t.is((await netloom('apply', '--dir', dir)).code, 4)
  t.regex((await netloom('plan', dir)).out, /^No changes/)

  await edit(dir, 'groups.yaml', 'description: Only the web servers ask it.', 'stateful: false')
  const refused = await netloom('plan', dir)
  t.is(refused.code, 1)
  t.regex(
    refused.out,
    /E0289\]: stateful of security_group shop\/app cannot be changed while a port uses it: port shop\/app-1 and port shop\/app-2/,
  )
  t.regex(refused.out, /groups\.yaml:\d+:/)
  await edit(dir, 'groups.yaml', 'stateful: false', 'description: Only the web servers ask it.')

  await edit(dir, 'tiers.yaml', 'cron-1: { network: tiers, host: h1 }', 'cron-1: { network: tiers, host: h1, security_groups: [operated] }')
  const gone = await netloom('plan', dir)
  t.regex(gone.out, /- DELETE security_group shop\/default {2}tiers\.yaml:\d+:3 {2}nobody uses it any more/)
})
