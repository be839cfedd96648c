import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { netloom } from './netloom.ts'

const exec = promisify(execFile)

interface Shown {
  readonly revision: number
  readonly place: { readonly line: number } | null
  readonly changed: { readonly revision: number; readonly git?: { readonly commit: string; readonly dirty: boolean } }
  readonly attributes: Readonly<Record<string, unknown>>
}

async function repository(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-past-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await git(dir, 'init', '-q', '-b', 'main')
  await writeFile(join(dir, '.gitignore'), '.netloom/\n')
  return dir
}

async function git(dir: string, ...args: readonly string[]): Promise<string> {
  const who = ['-c', 'user.name=Ops', '-c', 'user.email=ops@example.org', '-c', 'commit.gpgsign=false']
  return (await exec('git', ['-C', dir, ...who, ...args])).stdout.trim()
}

async function write(dir: string, mtu: number, more = ''): Promise<void> {
  await writeFile(join(dir, 'a.yaml'), `networks:\n  x: { network_type: local, mtu: ${mtu} }\n${more}`)
}

async function commit(dir: string, subject: string): Promise<string> {
  await git(dir, 'add', '-A')
  await git(dir, 'commit', '-q', '--allow-empty', '-m', subject)
  return await git(dir, 'rev-parse', 'HEAD')
}

test('show network x --at HEAD~3 is what was true then: of that commit, with when it was changed, and its place', async (t) => {
  t.timeout(180_000)
  const dir = await repository(t)
  const show = async (...args: readonly string[]): Promise<Shown> =>
    JSON.parse((await netloom('show', 'network', 'x', dir, '--json', ...args)).out) as Shown
  const apply = async (): Promise<void> => {
    const { code, out } = await netloom('apply', '--dir', dir)
    t.is(code, 4, out)
  }
  const then: Shown[] = []
  const commits: string[] = []
  const steps: readonly (readonly [number, string])[] = [
    [1400, ''],
    [1401, 'subnets: { s: { network: x, cidr: 10.0.0.0/24 } }\n'],
    [1401, 'subnets: { s: { network: x, cidr: 10.0.0.0/24, description: later } }\n'],
    [1403, ''],
  ]
  for (const [n, [mtu, more]] of steps.entries()) {
    await write(dir, mtu, more)
    commits.push(await commit(dir, `step ${n}`))
    await apply()
    then.push(await show())
  }
  t.deepEqual(
    then.map((s) => [s.revision, s.attributes['mtu'], s.changed.revision, s.attributes['revision_number']]),
    [
      [1, 1400, 1, 1],
      [2, 1401, 2, 2],
      [3, 1401, 2, 2],
      [4, 1403, 4, 3],
    ],
  )
  for (const [n, shown] of then.entries()) {
    t.deepEqual(await show('--at', `HEAD~${3 - n}`), shown)
    t.deepEqual(await show('--at', commits[n]?.slice(0, 10) ?? ''), shown)
    t.deepEqual(await show('--at', String(n + 1)), shown)
    t.is(shown.changed.git?.commit, commits[shown.changed.revision - 1])
  }
  const text = (await netloom('show', 'network', 'x', dir, '--at', 'HEAD~2')).out
  t.regex(text, new RegExp(`^As it was in revision 2 \\(\\d+ s ago\\), git ${commits[1]?.slice(0, 12) ?? ''} "step 1" by Ops\n`))
  t.regex(text, /\n {4}mtu +1401\n/)
  t.regex(text, /\nlast changed in revision 2 /)

  const all = JSON.parse((await netloom('show', 'subnets', '--dir', dir, '--at', 'HEAD~1', '--json')).out) as {
    readonly resources: readonly { readonly key: string; readonly attributes: { readonly description: string } }[]
  }
  t.deepEqual(
    all.resources.map((r) => [r.key, r.attributes.description]),
    [['subnet/default/s', 'later']],
  )
  t.regex(
    (await netloom('show', 'subnets', '--dir', dir, '--at', '2')).out,
    /^As they were in revision 2 .*\nNAME +ID +WRITTEN IN\ndefault\/s +[0-9a-f-]{36} +a\.yaml:3:\d+\n$/,
  )
  t.regex((await netloom('show', 'subnets', '--dir', dir)).out, /^there are no subnets\n$/)

  const wrong = async (...args: readonly string[]): Promise<string> => {
    const { code, err } = await netloom('show', 'network', 'x', dir, ...args)
    t.is(code, 1)
    return err
  }
  t.regex(await wrong('--at', '9'), /there is no revision 9; the newest is 4\n {2}fix: netloom history/)
  t.regex(await wrong('--at', 'HEAD~4'), /HEAD~4 is neither a revision nor a commit that git knows in .*\n {2}fix: netloom history/)
  t.regex(await wrong('--at', '--output=x'), /neither a revision nor a commit/)
  t.regex(
    (await netloom('show', 'subnet', 's', dir, '--at', '1')).err,
    /there is no subnet s in revision 1\n {2}fix: it was not there then/,
  )
})

test('what was applied before it was committed is found by the commit that took it in; a commit that changed nothing shows the one before', async (t) => {
  t.timeout(180_000)
  const dir = await repository(t)
  const mtu = async (at: string): Promise<readonly unknown[]> => {
    const { out } = await netloom('show', 'network', 'x', dir, '--json', '--at', at)
    const { revision, attributes, message } = JSON.parse(out) as Partial<Shown> & { readonly message?: string }
    return message === undefined ? [revision, attributes?.['mtu']] : [message]
  }
  await commit(dir, 'before all')
  await write(dir, 1400)
  await netloom('apply', '--dir', dir)
  await commit(dir, 'saved, applied, then committed')
  await commit(dir, 'nothing new')
  await write(dir, 1401)
  await netloom('apply', '--dir', dir)
  await write(dir, 1402)
  await netloom('apply', '--dir', dir)
  await commit(dir, 'two saves later')
  t.deepEqual(await mtu('HEAD'), [3, 1402])
  t.deepEqual(await mtu('HEAD~1'), [1, 1400])
  t.deepEqual(await mtu('HEAD~2'), [1, 1400])
  const first = await git(dir, 'rev-parse', 'HEAD~3')
  t.deepEqual(await mtu('HEAD~3'), [`nothing was applied from commit ${first.slice(0, 12)} or from one before it`])
})
