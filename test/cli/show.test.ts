import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const NETLOOM = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

async function netloom(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [NETLOOM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (d: Buffer) => (out += d.toString()))
  child.stderr.on('data', (d: Buffer) => (err += d.toString()))
  const [code] = (await once(child, 'close')) as [number]
  return { code, out, err }
}

test('show: what is applied, with when it was made and how often it changed; the default plugins for that can be turned off', async (t) => {
  t.timeout(120_000)
  const dir = await mkdtemp(join(tmpdir(), 'netloom-show-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const repo = (port: string, more = ''): Promise<void> =>
    writeFile(
      join(dir, 'a.yaml'),
      `project: shop\nnetworks: { blue: {}, red: {} }\nsubnets: { b: { network: blue, cidr: 10.1.0.0/24 }, r: { network: red, cidr: 10.2.0.0/24 } }\nports:\n  web: ${port}\n${more}`,
    )
  type Shown = Readonly<Record<'created_at' | 'updated_at' | 'revision_number' | 'network' | 'fixed_ips', unknown>>
  const shown = async (): Promise<Shown> => {
    const { out } = await netloom('show', 'port', 'shop/web', dir, '--json')
    return (JSON.parse(out) as { readonly attributes: Shown }).attributes
  }
  const apply = async (): Promise<void> => {
    t.is((await netloom('apply', '--dir', dir)).code, 4)
  }

  await repo('{ network: blue }')
  t.regex((await netloom('show', 'port', 'web', dir)).err, /no state file/)
  await apply()
  const first = await shown()
  t.deepEqual([first.revision_number, first.updated_at, first.network], [1, first.created_at, 'blue'])
  t.truthy(first.fixed_ips)

  await repo('{ network: blue }', '  other: { network: blue }\n')
  await apply()
  t.deepEqual(await shown(), first, 'what others do is no change of it')

  await repo('{ network: blue, tags: [b, a] }')
  await apply()
  const changed = await shown()
  t.deepEqual([changed.revision_number, changed.created_at], [2, first.created_at])
  t.true(String(changed.updated_at) > String(first.updated_at))

  await repo('{ network: red, tags: [a, b] }')
  await apply()
  const anew = await shown()
  t.deepEqual([anew.revision_number, anew.network], [1, 'red'], 'made anew is new')
  t.true(String(anew.created_at) > String(changed.updated_at))
  t.is(anew.created_at, anew.updated_at)

  const text = await netloom('show', 'ports', 'shop/web', dir)
  t.regex(text.out, /^port shop\/web {2}a\.yaml:5:3\n/)
  t.regex(text.out, /\n {4}revision_number +1\n/)
  t.regex((await netloom('show', 'port', 'web', dir)).err, /there is no port web in revision 4\n.*did you mean port shop\/web\?/)
  t.regex((await netloom('show', 'prot', 'web', dir)).err, /there is no kind prot\n.*did you mean port\?/)
  t.regex((await netloom('show', 'port', 'a/b/c', dir)).err, /a\/b\/c is not the name of a port\n.*NAME or PROJECT\/NAME/)

  await writeFile(join(dir, 'netloom.yaml'), 'disabled_plugins: [revisions, timestamp]\n')
  const bare = (await netloom('show', 'port', 'shop/web', dir)).out
  t.notRegex(bare, /revision_number|created_at|updated_at/)
  t.regex(bare, /tags +\[a, b\]/)
})
