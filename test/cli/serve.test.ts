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
}

async function serve(t: ExecutionContext): Promise<Serving> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-serve-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await writeFile(join(dir, 'netloom.yaml'), 'installation: test\n')
  await writeFile(join(dir, 'all.yaml'), 'networks: { blue: {} }\n')
  const at = (name: string): string[] => [`--${name}`, `ipc://${join(dir, `.${name}`)}`]
  const child = spawn(process.execPath, [NETLOOM, 'serve', dir, '--fresh', ...at('pub'), ...at('rpc'), ...at('reports')])
  t.teardown(() => child.kill('SIGKILL'))
  let err = ''
  child.stdout.resume()
  child.stderr.on('data', (d: Buffer) => (err += d.toString()))
  const stateFile = join(dir, '.netloom', 'state.db')
  const ended = new Promise<number | null>((done) => child.once('close', done))
  for (let n = 0; !err.includes('revision committed'); n++) {
    if (n > 1500) throw new Error(`no revision in 30 s: ${err}`)
    await sleep(20)
  }
  return { dir, stateFile, err: () => err, ended }
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
