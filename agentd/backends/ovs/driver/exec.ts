import { execFile } from 'node:child_process'

/** A process that ended badly, with its own words. */
export class ExecError extends Error {
  readonly command: string
  readonly status: number | undefined
  constructor(command: string, status: number | undefined, stderr: string) {
    super(`${command}: ${stderr.trim() || `exit status ${status ?? 'unknown'}`}`)
    this.name = 'ExecError'
    this.command = command
    this.status = status
  }
}

/** Runs a program without a shell; 10 s at most. Resolves to stdout; throws `ExecError`. */
export async function run(program: string, args: readonly string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    execFile(program, args, { timeout: 10_000, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else
        reject(
          new ExecError([program, ...args].join(' '), typeof error.code === 'number' ? error.code : undefined, stderr || error.message),
        )
    })
  })
}
