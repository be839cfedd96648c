import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import anyTest, { type ExecutionContext } from 'ava'
import { BUILT_IN } from '../../src/plugins/index.ts'
import { settingsOf } from '../../src/plugins/settings.ts'
import { BootError, boot } from '../../src/server/boot.ts'
import { startServer } from '../../src/server/serve.ts'
import { netloom } from '../cli/netloom.ts'
import { said } from './make.ts'

// While a module loads, the process's only `exit` is taken from it: two boots at once would tell each other of theirs.
const test = anyTest.serial

const SAMPLE = fileURLToPath(new URL('../../../samples/01-three-hosts', import.meta.url))

async function repo(t: ExecutionContext, files: Readonly<Record<string, string>>, sample = false): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-boot-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  if (sample) await cp(SAMPLE, dir, { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(dir, name, '..'), { recursive: true })
    await writeFile(join(dir, name), text)
  }
  return dir
}

const module = (name: string, rest = ''): string =>
  `export const plugin = { name: '${name}', role: 'service', summary: 'x', provides: [], extensions: [], agent_roles: [], ${rest} }\n`

async function told(dir: string): Promise<readonly string[]> {
  const error = await boot(dir, { from: 'worktree' }).then(
    () => undefined,
    (e: unknown) => e,
  )
  return error instanceof BootError ? error.issues.map(said) : [`no refusal: ${String(error)}`]
}

test('third parties’ modules: by path, by package, as a value and as a function of the API', async (t) => {
  const dir = await repo(t, {
    'netloom.yaml': 'service_plugins: [./plugins/a.mjs, "@acme/b", single]\n',
    'plugins/a.mjs': module('a'),
    'node_modules/@acme/b/package.json': '{ "name": "@acme/b", "type": "module", "exports": "./index.js" }',
    'node_modules/@acme/b/index.js': `export const plugin = (api) => ({ name: 'b', role: 'service', summary: api.makeKey('port', 'p', 'n'), provides: [], extensions: [], agent_roles: [] })\n`,
    'node_modules/single/package.json': '{ "name": "single", "type": "module", "exports": "./index.js" }',
    'node_modules/single/index.js': module('single'),
  })
  const directory = await boot(dir, { from: 'worktree' })
  t.deepEqual(
    directory.plugins.filter((p) => p.origin !== 'built-in').map((p) => `${p.plugin.name} ${p.origin} ${p.plugin.summary}`),
    ['a ./plugins/a.mjs x', 'b @acme/b port/p/n', 'single single x'],
  )
})

test('E0711: a module that is not there, throws, or exports no plugin; all are said at once, each with its place', async (t) => {
  const dir = await repo(t, {
    'netloom.yaml':
      'service_plugins:\n  - ./none.mjs\n  - ./throws.mjs\n  - ./empty.mjs\n  - no-such-package\n  - tga\n  - path\n  - ./exits.mjs\n  - ./exits-later.mjs\n  - ""\n',
    'throws.mjs': 'throw new Error("no luck")\n',
    'exits.mjs': 'process.exit(0)\n',
    'exits-later.mjs': 'await null\nexport const plugin = () => process.exit()\n',
    'empty.mjs': 'export const plugin = { name: "x" }\n',
  })
  const hint = ' → name a built-in plugin, a path from the repository such as ./plugins/x.js, or an installed npm package'
  const unknown = `built-in are ${BUILT_IN.map((p) => p.name)
    .sort()
    .join(', ')}; others are named by path (./x.js) or npm package`
  t.deepEqual(await told(dir), [
    `2: E0711 plugin ./none.mjs cannot be loaded: there is no such file${hint}`,
    `3: E0711 plugin ./throws.mjs cannot be loaded: no luck${hint}`,
    `4: E0711 plugin ./empty.mjs cannot be loaded: it exports no \`plugin\` with name, role, summary, provides, extensions and agent_roles${hint}`,
    `5: E0711 plugin no-such-package cannot be loaded: there is no such package${hint}`,
    '6: E0702 there is no plugin tga → did you mean tag?',
    `7: E0702 there is no plugin path → ${unknown}`,
    `8: E0711 plugin ./exits.mjs cannot be loaded: it ends the process: process.exit(0)${hint}`,
    `9: E0711 plugin ./exits-later.mjs cannot be loaded: it ends the process: process.exit()${hint}`,
    `10: E0702 the name of a plugin is empty → ${unknown}`,
  ])
})

test('a core plugin that cannot be loaded is said once', async (t) => {
  const dir = await repo(t, { 'netloom.yaml': 'core_plugin: ./core.mjs\n' })
  t.is((await told(dir)).length, 1)
})

test('no mechanism driver at all is a mistake of the site file, with its place', async (t) => {
  const dir = await repo(t, { 'netloom.yaml': 'mechanism_drivers: []\n' })
  const { code, out } = await netloom('validate', dir)
  t.is(code, 1)
  t.regex(out, /netloom\.yaml:1:.*\n?/)
  t.regex(out, /mechanism_drivers.* needs at least 1 item/)
})

test('where the site file cannot be read, what ran before runs', async (t) => {
  const dir = await repo(t, { 'netloom.yaml': 'service_plugins: [\n' })
  const directory = await boot(dir, { from: 'worktree' }, async () => settingsOf({ disabled_plugins: ['tag'] }))
  t.false(directory.plugins.some((p) => p.plugin.name === 'tag'))
})

test('tags turned off: an unknown attribute, and how to get it', async (t) => {
  const tagged = 'networks: { n: { tags: [a] } }\n'
  const off = await repo(t, { 'netloom.yaml': 'disabled_plugins: [tag]\n', 'a.yaml': tagged })
  const { code, out } = await netloom('validate', off)
  t.is(code, 1)
  t.regex(out, /E0320.*unknown attribute `tags`/)
  t.regex(out, /plugin tag brings it: take tag out of disabled_plugins in netloom\.yaml/)
  const on = await repo(t, { 'a.yaml': tagged })
  t.is((await netloom('validate', on)).code, 0)
})

test('plugins whose kinds others add attributes to can be turned off', async (t) => {
  const dir = await repo(t, { 'netloom.yaml': 'disabled_plugins: [trunk, qos]\n', 'a.yaml': 'networks: { n: { tags: [a] } }\n' })
  t.is((await netloom('validate', dir)).code, 0)
})

test('what is odd about the plugins is shown by validate and plan, and stops neither', async (t) => {
  const dir = await repo(t, { 'netloom.yaml': 'service_plugins: [./a.mjs, ./a.mjs]\n', 'a.mjs': module('a') })
  for (const command of ['validate', 'plan']) {
    const { code, out } = await netloom(command, dir)
    t.is(code, 0)
    t.regex(out, /W0713.*plugin \.\/a\.mjs is named twice/)
  }
})

test('a boot that fails binds no socket and writes nothing', async (t) => {
  const site =
    'installation: x\nservice_plugins: [nowhere]\nendpoints: { pub: "tcp://127.0.0.1:39610", rpc: "tcp://127.0.0.1:39611", reports: "tcp://127.0.0.1:39612" }\n'
  const dir = await repo(t, { 'netloom.yaml': site })
  const serving = netloom('serve', dir)
  const heard: boolean[] = []
  let ended = false
  const end = serving.finally(() => (ended = true))
  while (!ended) {
    for (const port of [39610, 39611, 39612]) heard.push(await listens(port))
    await new Promise((done) => setTimeout(done, 20))
  }
  const { code, out } = await end
  t.is(code, 1)
  t.regex(out, /E0702.*there is no plugin nowhere/)
  t.regex(out, /netloom\.yaml:2:/)
  t.false(existsSync(join(dir, '.netloom')), 'not even the folder of the state file')
  t.true(heard.length > 0)
  t.false(heard.includes(true))
  t.is((await netloom('plan', dir)).code, 1)
  t.is((await netloom('apply', '--dir', dir)).code, 1)
  t.false(existsSync(join(dir, '.netloom')))
})

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

test('E0715: other plugins in a running server’s site file are refused, the last good state serves, and other mistakes are none of that', async (t) => {
  const dir = await repo(t, {}, true)
  const site = join(dir, 'netloom.yaml')
  const before = await readFile(site, 'utf8')
  const server = await startServer({
    dir,
    stateFile: join(dir, '.netloom', 'state.db'),
    endpoints: { pub: `ipc://${dir}/pub`, rpc: `ipc://${dir}/rpc`, reports: `ipc://${dir}/reports` },
    mode: 'auto',
    fresh: true,
    insecureLab: false,
    heartbeatMs: 1000,
    log: () => {},
    onFault: (reason) => t.fail(reason.message),
  })
  t.teardown(() => server.close())
  const until = async (what: string, ready: () => boolean): Promise<void> => {
    for (let i = 0; !ready(); i++) {
      if (i > 500) throw new Error(`not within 10 s: ${what}`)
      await new Promise((done) => setTimeout(done, 20))
    }
  }
  await until('the first revision', () => server.controller.base.revision === 1)
  await writeFile(site, `${before}\ndisabled_plugins: [tag]\n`)
  await until('the refusal', () => server.controller.repo.state === 'broken')
  const [issue] = server.controller.repo.issues
  t.is(issue?.code, 'E0715')
  t.regex(issue?.message ?? '', /^disabled_plugins says tag, and this server runs with none$/)
  t.regex(issue?.hint ?? '', /start the server again/)
  t.is(issue?.place?.file, 'netloom.yaml')
  t.is(server.controller.base.revision, 1)
  await writeFile(site, before)
  await until('all is well again', () => server.controller.repo.state === 'clean')
  t.is(server.controller.base.revision, 1)
})
