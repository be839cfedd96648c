import { spawn } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'

const ROOT = process.cwd()

/** A checkout with one source file, whose npm packages are installed. */
async function checkout(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'nl-setup-'))
  t.teardown(async () => await rm(dir, { recursive: true }))
  const put = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(join(dir, file)), { recursive: true })
    await writeFile(join(dir, file), text)
  }
  await put('src/a.ts', 'export const a: number = 1\n')
  await put('package.json', '{ "name": "checkout", "type": "module" }')
  await put('package-lock.json', '{}')
  const base = JSON.parse((await readFile('tsconfig.json', 'utf8')).replaceAll(/^\s*\/\/.*$/gm, '')) as {
    compilerOptions: Record<string, unknown>
  }
  await put('tsconfig.json', JSON.stringify({ ...base, compilerOptions: { ...base.compilerOptions, types: [] }, include: ['src'] }))
  await mkdir(join(dir, 'src/setup'))
  await copyFile('src/setup/install.sh', join(dir, 'src/setup/install.sh'))
  for (const name of ['typescript', 'sqlite3', 'zeromq', 'bindings', 'file-uri-to-path', 'cmake-ts']) {
    await put(`node_modules/.keep`, '')
    await symlink(join(ROOT, 'node_modules', name), join(dir, 'node_modules', name))
  }
  const { stdout } = await run(
    'sh',
    ['-c', `echo "$(sha256sum < package-lock.json | cut -c1-64) $(node -p '[process.platform, process.arch].join(" ")')"`],
    dir,
  )
  await put('node_modules/.netloom-setup', stdout)
  return dir
}

/** Programs that stand before the real ones in PATH. */
async function shims(dir: string, programs: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(join(dir, 'shims'), { recursive: true })
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(join(dir, 'shims', name), `#!/bin/sh\n${text}\n`)
    await chmod(join(dir, 'shims', name), 0o755)
  }
  return `${join(dir, 'shims')}:${process.env['PATH']}`
}

function run(
  file: string,
  args: readonly string[],
  cwd: string,
  path = process.env['PATH'] ?? '',
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: { ...process.env, PATH: path }, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (text: Buffer) => {
      stdout += text.toString()
    })
    child.stderr.on('data', (text: Buffer) => {
      stderr += text.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })
}

const setUp = async (dir: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  await run('bash', ['src/setup/install.sh', ...args], dir)

test('it says what it will do, does it, and the second time finds nothing to do', async (t) => {
  const dir = await checkout(t)
  t.deepEqual(await setUp(dir, '--dry-run'), { code: 0, stdout: 'setup: nothing is built yet → tsc\n', stderr: '' })
  await t.throwsAsync(async () => await stat(join(dir, 'build')))
  t.deepEqual(await setUp(dir), { code: 0, stdout: 'setup: nothing is built yet → tsc\nsetup: ready\n', stderr: '' })
  t.regex(await readFile(join(dir, 'build/src/a.js'), 'utf8'), /a = 1/)
  t.deepEqual(await setUp(dir), { code: 0, stdout: '', stderr: '' })
})

test('a changed source is built, and what was built from a source that is gone is removed', async (t) => {
  const dir = await checkout(t)
  await writeFile(join(dir, 'src/b.ts'), 'export const b: number = 2\n')
  await setUp(dir)
  await writeFile(join(dir, 'src/a.ts'), 'export const a: number = 3\n')
  t.regex((await setUp(dir)).stdout, /sources are newer than the build → tsc/)
  t.regex(await readFile(join(dir, 'build/src/a.js'), 'utf8'), /a = 3/)
  await rm(join(dir, 'src/b.ts'))
  t.regex((await setUp(dir)).stdout, /source files were added or removed → tsc/)
  await t.throwsAsync(async () => await stat(join(dir, 'build/src/b.js')))
})

test('sources that do not compile are an error each time, not once', async (t) => {
  const dir = await checkout(t)
  await writeFile(join(dir, 'src/a.ts'), 'export const a: number = "one"\n')
  for (const round of [1, 2]) {
    const result = await setUp(dir)
    t.is(result.code, 1, `round ${round}`)
    t.regex(result.stdout + result.stderr, /src\/a\.ts\(1,14\): error/)
  }
})

test('two at once: one builds, the other waits and finds it done', async (t) => {
  const dir = await checkout(t)
  const said = (await Promise.all([setUp(dir), setUp(dir)])).map((r) => `${r.code} ${r.stdout}`).sort()
  t.deepEqual(said, ['0 ', '0 setup: nothing is built yet → tsc\nsetup: ready\n'])
})

test('an old Node.js is told what is wanted', async (t) => {
  const dir = await checkout(t)
  const result = await run('bash', ['src/setup/install.sh'], dir, await shims(dir, { node: 'echo 18.19.0' }))
  t.is(result.code, 1)
  t.is(
    result.stderr,
    `setup: this is Node.js 18.19.0 (${dir}/shims/node); Netloom needs 20.19 or newer.\n` +
      'setup: Install a current one: https://nodejs.org/en/download (Debian 12 brings Node 18 only).\n',
  )
})

test('without root it installs nothing, and says the command to type', async (t) => {
  const dir = await checkout(t)
  // A PATH with all that the script needs, and no Open vSwitch.
  const bare = await shims(dir, { id: 'echo 1000' })
  for (const name of [
    'bash',
    'sh',
    'node',
    'npm',
    'dirname',
    'flock',
    'sha256sum',
    'cut',
    'find',
    'sort',
    'head',
    'xargs',
    'cat',
    'git',
    'ping',
    'ip',
  ]) {
    const { stdout } = await run('sh', ['-c', `command -v ${name}`], dir)
    await symlink(stdout.trim(), join(dir, 'shims', name))
  }
  const result = await run('bash', ['src/setup/install.sh', '--for', 'demo'], dir, bare.split(':')[0])
  t.is(result.code, 1)
  t.regex(result.stdout, /^setup: missing programs → apt-get install -y --no-install-recommends openvswitch-switch\n/)
  t.is(
    result.stderr,
    'setup: missing: openvswitch-switch. Installing needs root; type:\nsetup:   sudo apt-get install -y --no-install-recommends openvswitch-switch\n',
  )
})
