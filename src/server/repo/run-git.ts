import { spawn } from 'node:child_process'
import { RepoError, systemCode } from './error.ts'

/**
 * Never lets the repository's own configuration run a program, takes no lock that could disturb the operator's commands, and reads a repository whoever
 * owns it: nothing but objects is read, and the server often runs as another user.
 */
export const SAFE_GIT: readonly string[] = [
  '--no-optional-locks',
  '-c',
  'safe.directory=*',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'log.showSignature=false',
]

/** Runs git in `dir` and gives its output. Throws `RepoError`: `git-missing`, or `git-failed` with git's own last words. */
export function runGit(
  dir: string,
  args: readonly string[],
  options: { readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...SAFE_GIT, '-C', dir, ...args], {
      env: cleanEnvironment(),
      stdio: 'pipe',
      timeout: options.timeoutMs ?? 30_000,
    })
    const out: Buffer[] = []
    let complaint = ''
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = `${complaint}${chunk.toString()}`.slice(-2000)
    })
    child.on('error', (error) => {
      const missing = systemCode(error) === 'ENOENT'
      reject(
        new RepoError(
          missing ? 'git-missing' : 'git-failed',
          missing ? 'the program git is not installed' : 'git could not be started',
          error,
        ),
      )
    })
    child.on('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(out))
      else reject(new RepoError('git-failed', `git ${args[0]}: ${complaint.trim().split('\n').at(-1) || (signal ?? `exit ${code}`)}`))
    })
    // git may end before it has read everything; its exit code tells, not the broken pipe.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}

/** Without what a hook or a rebase put there (`GIT_DIR`, `GIT_INDEX_FILE`, …): it would point every command at another repository. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))
  return { ...Object.fromEntries(kept), LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1' }
}
