import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * Runs a benchmark's program in a process of its own, so that its memory is its own. Resolves to what it handed back; rejects when it ended without. Its
 * stderr is ours.
 */
export async function runChild<T>(program: string, params: object, nodeArgs: readonly string[] = []): Promise<T> {
  const path = fileURLToPath(new URL(`../${program}.js`, import.meta.url))
  const child = fork(path, [JSON.stringify(params)], { execArgv: [...nodeArgs], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const end = (): void => void child.kill('SIGTERM')
  process.once('exit', end)
  try {
    return await new Promise<T>((resolve, reject) => {
      let answer: { readonly value: T } | undefined
      child.on('message', (message) => {
        answer = message as { readonly value: T }
      })
      child.once('error', reject)
      child.once('exit', (code, signal) => {
        if (answer !== undefined && code === 0) resolve(answer.value)
        else reject(new Error(`${program} ${JSON.stringify(params)} ended with ${signal ?? `exit status ${code}`}`))
      })
    })
  } finally {
    process.off('exit', end)
  }
}

/** The other end: hands back what `work` makes of the parameters, or ends with 1. */
export function serveParent<P, T>(work: (params: P) => Promise<T>): void {
  void (async () => {
    try {
      const value = await work(JSON.parse(process.argv[2] ?? '{}') as P)
      if (process.send === undefined) console.log(JSON.stringify(value, null, 2))
      else await new Promise((resolve) => process.send?.({ value }, resolve))
      process.exitCode = 0
    } catch (error) {
      console.error(error)
      process.exitCode = 1
    } finally {
      process.disconnect?.()
    }
  })()
}
