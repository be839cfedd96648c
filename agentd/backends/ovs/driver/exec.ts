import { execFile } from 'node:child_process'

/** A process that ended badly, with its own words. */
export class ExecError extends Error {
  readonly command: string
  readonly status: number | undefined
  /** What it wrote on standard error. */
  readonly said: string
  constructor(command: string, status: number | undefined, stderr: string) {
    const said = stderr.trim() || `exit status ${status ?? 'unknown'}`
    super(`${command}: ${said}`)
    this.said = said
    this.name = 'ExecError'
    this.command = command
    this.status = status
  }
}

/** Runs a program without a shell; 10 s at most. Resolves to stdout; throws `ExecError`. */
export async function run(program: string, args: readonly string[], input = ''): Promise<string> {
  return await new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: 10_000, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else
        reject(
          new ExecError([program, ...args].join(' '), typeof error.code === 'number' ? error.code : undefined, stderr || error.message),
        )
    })
    // A program that ends before it has read everything says why by its exit code.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}
