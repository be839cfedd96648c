import test from 'ava'
import { createOutput } from '../../src/cli/output.ts'
import { createProgress } from '../../src/cli/progress.ts'
import type { HostState } from '../../src/server/render/fleet.ts'

/** Streams that are a terminal, or are not, and keep what was written. */
function streams(isTTY: boolean) {
  const written = { out: '', err: '' }
  const stream = (name: 'out' | 'err'): NodeJS.WriteStream =>
    ({ isTTY, columns: 80, write: (text: string) => (written[name] += text) !== '' }) as unknown as NodeJS.WriteStream
  return { written, stdout: stream('out'), stderr: stream('err') }
}

const state = (host: string, sync: HostState['sync'], health: HostState['health'], ...notes: string[]): HostState => ({
  host,
  sync,
  health,
  lag: 0,
  notes,
})

test('without a terminal: a line on stderr for every change', async (t) => {
  const { written, stdout, stderr } = streams(false)
  const progress = createProgress(createOutput({ json: false, stdout, stderr, env: {} }))
  progress.tell(state('h1', 'Applying', 'Progressing'))
  progress.tell(state('h2', 'Unknown', 'Missing', 'never heard of'))
  progress.tell(state('h1', 'Synced', 'Waiting', '1 in error', '2 waiting'))
  await progress.end()
  t.is(written.out, '')
  t.is(written.err, 'h1  Applying  Progressing\nh2  Unknown  Missing  never heard of\nh1  Synced  Waiting  1 in error; 2 waiting\n')
})

test('lines are drawn in place on a terminal only, and not where plain text was asked for', (t) => {
  const interactive = (isTTY: boolean, env: NodeJS.ProcessEnv, json = false): boolean =>
    createOutput({ json, ...streams(isTTY), env }).interactive
  t.true(interactive(true, { TERM: 'xterm' }))
  t.false(interactive(false, { TERM: 'xterm' }))
  for (const env of [{ TERM: 'dumb' }, { CI: '1' }, { NO_COLOR: '1' }]) t.false(interactive(true, env), JSON.stringify(env))
  t.false(interactive(true, {}, true))
})
