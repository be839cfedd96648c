import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { createLoader, type Loader } from '../../../src/server/load/load.ts'
import type { ReadContext } from '../../../src/server/repo/load-files.ts'
import type { RepoSource } from '../../../src/server/repo/looker.ts'
import { type RepoState, type RepoWatch, watchRepo } from '../../../src/server/repo/watch.ts'
import { TEST_KINDS } from '../load/kinds.ts'

export const LOADER: Loader = createLoader(TEST_KINDS, 'test')
export const CONTEXT: ReadContext = { loader: LOADER }

/** A folder of its own for one test, gone afterwards. */
export function folder(t: ExecutionContext): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'netloom-repo-')))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

export function put(dir: string, path: string, text: string | Uint8Array): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true })
  writeFileSync(join(dir, path), text)
}

/** `networks:` with the given names. */
export function networks(...names: readonly string[]): string {
  return `networks:\n${names.map((n) => `  ${n}: {}\n`).join('')}`
}

const run = promisify(execFile)

/** The real git, with a configuration of its own. */
export async function git(dir: string, ...args: readonly string[]): Promise<string> {
  const identity = ['-c', 'user.name=Op', '-c', 'user.email=op@example.org', '-c', 'init.defaultBranch=main', '-c', 'commit.gpgsign=false']
  const env = { ...process.env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_EDITOR: 'true' }
  return (await run('git', [...identity, '-C', dir, ...args], { env })).stdout.trim()
}

export async function shell(dir: string, script: string): Promise<void> {
  await run('bash', ['-euc', script], { cwd: dir })
}

export interface Watched {
  readonly watch: RepoWatch
  readonly states: RepoState[]
  readonly problems: Error[]
  /** Waits until a state satisfies the condition; fails the test after 15 s. */
  until(condition: (state: RepoState) => boolean): Promise<RepoState>
  /** Waits until the repo has been at rest for a while, so that a late state would have come. */
  rest(): Promise<void>
  /** Names of the declared resources of the last state, sorted. */
  names(): readonly string[]
}

/** Starts a watch and waits for its first state. */
export async function watched(
  t: ExecutionContext,
  dir: string,
  source: RepoSource = { from: 'worktree' },
  rescanMs = 60_000,
  onState: (state: RepoState, watch: RepoWatch) => Promise<void> = async () => {},
): Promise<Watched> {
  const states: RepoState[] = []
  const problems: Error[] = []
  const watch: RepoWatch = watchRepo(dir, { source, context: CONTEXT, rescanMs, onProblem: (e) => problems.push(e) }, async (state) => {
    states.push(state)
    await onState(state, watch)
  })
  t.teardown(() => watch.close())
  const until = async (condition: (state: RepoState) => boolean) => {
    for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(10)) {
      const last = states.at(-1)
      if (last !== undefined && condition(last)) return last
    }
    throw new Error(`no such state came; the watch says ${JSON.stringify(watch.status())}`)
  }
  await until(() => true)
  const rest = async () => {
    await sleep(700)
    await watch.rescan()
    while (watch.status().phase === 'waiting') await sleep(50)
  }
  return { watch, states, problems, until, rest, names: () => [...(states.at(-1)?.tree.declared.keys() ?? [])].sort() }
}
