import type { Output } from './output.ts'

/** What a shell reports of a program that Ctrl-C ended. */
const KILLED_BY_SIGINT = 130

/** Runs `work` so that the first Ctrl-C only tells it, by the signal, and the second ends the process at once. */
export async function withInterrupt<T>(output: Output, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupted = new AbortController()
  const onSignal = (): void => {
    if (interrupted.signal.aborted) process.exit(KILLED_BY_SIGINT)
    interrupted.abort()
    output.say('interrupted; once more ends this at once')
  }
  process.on('SIGINT', onSignal)
  try {
    return await work(interrupted.signal)
  } finally {
    process.off('SIGINT', onSignal)
  }
}
