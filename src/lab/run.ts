import { spawn } from 'node:child_process'
import { LabError } from './errors.ts'
import { labDir } from './names.ts'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly timeout_ms?: number
  /** Called with each piece of output as it comes; the result then holds it all the same. */
  readonly onOutput?: (text: string, stream: 'stdout' | 'stderr') => void
}

/** Runs a program without a shell and tells how it ended: an exit code other than 0 is a result, not an error. Killed by a signal: 128 + its number. */
export function tryRun(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [file, ...args] = argv
  if (file === undefined) throw new Error('nothing to run')
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      timeout: options.timeout_ms ?? 60_000,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      options.onOutput?.(text, 'stdout')
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
      options.onOutput?.(text, 'stderr')
    })
    // The child may end before it has read everything; its exit code tells more than EPIPE.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
    child.on('error', (cause) => reject(new LabError('cannot_run_here', `cannot start ${file}: ${cause.message}`, { cause })))
    child.on('close', (code, signal) => resolve({ code: code ?? 128 + (signal === 'SIGKILL' ? 9 : 15), stdout, stderr }))
  })
}

/** As `tryRun`, but an exit code other than 0 is an error that quotes what the program said. Returns standard output. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const ran = await tryRun(argv, options)
  if (ran.code === 0) return ran.stdout
  const said = ran.stderr.trim() || ran.stdout.trim()
  throw new LabError('command_failed', `${argv.slice(0, 8).join(' ')} ended with ${ran.code}: ${said}`, { cause: ran })
}

/**
 * Runs a shell script that stops at the first error. The lab's folder stands in the shell's arguments, so that `down` finds and ends
 * a script whose parent was killed.
 */
export async function runScript(tag: string, lines: readonly string[]): Promise<string> {
  return await run(['sh', '-e', '-s', '--', labDir(tag)], { input: `${lines.join('\n')}\n` })
}

/** One word of a shell script. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_.,:=/@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
