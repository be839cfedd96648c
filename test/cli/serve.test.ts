import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { askServer } from '../../src/cli/status.ts'
import { NETLOOM } from './netloom.ts'

interface Serving {
  readonly dir: string
  readonly stateFile: string
  /** What it wrote to stderr so far: a JSON object per line, then what `netloom` says of its end. */
  readonly err: () => string
  readonly ended: Promise<number | null>
  readonly stop: () => boolean
}

async function serve(t: ExecutionContext, { stateOf = (dir: string): string => join(dir, '.netloom', 'state.db') } = {}): Promise<Serving> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-serve-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await writeFile(join(dir, 'netloom.yaml'), 'installation: test\n')
  await writeFile(join(dir, 'all.yaml'), 'networks: { blue: {} }\n')
  const at = (name: string): string[] => [`--${name}`, `ipc://${join(dir, `.${name}`)}`]
  const stateFile = stateOf(dir)
  const child = spawn(process.execPath, [
    NETLOOM,
    'serve',
    dir,
    '--state',
    stateFile,
    '--fresh',
    ...at('pub'),
    ...at('rpc'),
    ...at('reports'),
  ])
  t.teardown(() => child.kill('SIGKILL'))
  let err = ''
  child.stdout.resume()
  child.stderr.on('data', (d: Buffer) => (err += d.toString()))
  const ended = new Promise<number | null>((done) => child.once('close', done))
  for (let n = 0; !err.includes('revision committed'); n++) {
    if (n > 1500) throw new Error(`no revision in 30 s: ${err}`)
    await sleep(20)
  }
  return { dir, stateFile, err: () => err, ended, stop: () => child.kill('SIGTERM') }
}

test('a server whose state file is deleted ends with the reason, and the next one starts', async (t) => {
  const { dir, stateFile, err, ended } = await serve(t)
  t.is((await askServer(stateFile))?.fleet.revision, 1)
  await rm(stateFile)
  await writeFile(join(dir, 'all.yaml'), 'networks: { blue: {}, green: {} }\n')
  t.is(await ended, 1)
  t.regex(
    err(),
    /\nnetloom: E0801: the state file \S+state\.db was deleted or moved away while this process had it open.*\n {2}fix: start the server again: /,
  )
  t.regex(err(), /"reason":"E0801: /)
  t.is(err().split('revision committed').length - 1, 1, 'nothing was said to be committed any more')
})

test('a server whose folder of state goes ends by itself, with nothing to commit', async (t) => {
  const { stateFile, err, ended } = await serve(t)
  await rm(join(stateFile, '..'), { recursive: true })
  t.is(await ended, 1)
  t.regex(err(), /\nnetloom: E0801: /)
})

test('two servers whose state files are in one folder are asked each for its own, and one that ends leaves the other reachable', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'netloom-states-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const first = await serve(t, { stateOf: () => join(folder, 'first.db') })
  await writeFile(join(first.dir, 'all.yaml'), 'networks: { blue: {}, green: {} }\n')
  for (let n = 0; (await askServer(first.stateFile))?.fleet.revision !== 2; n++) {
    if (n > 1500) throw new Error(`no second revision in 30 s: ${first.err()}`)
    await sleep(20)
  }
  const second = await serve(t, { stateOf: () => join(folder, 'second.db') })
  t.is((await askServer(first.stateFile))?.fleet.revision, 2)
  t.is((await askServer(second.stateFile))?.fleet.revision, 1)
  first.stop()
  t.is(await first.ended, 0)
  t.is(await askServer(first.stateFile), undefined)
  t.is((await askServer(second.stateFile))?.fleet.revision, 1)
})
