import type { FromThread } from './thread.ts'

/** The thread's own end of `thread.ts`. */
export interface Self {
  readonly closed: SharedArrayBuffer
  readonly tell: (message: FromThread<never> & { readonly type: 'died' }) => void
  /** Closes every socket, stops every timer, and lets go of every port: nothing is left that keeps the thread alive. */
  readonly close: () => void
}

/**
 * To be called before the first socket is opened. An error that nobody caught is told to the main thread with its reason; the sockets are closed before the thread ends, because a thread that is
 * torn down in the middle of a `receive` aborts the process before anybody could say why.
 */
export function guardThread({ closed, tell, close }: Self): void {
  process.once('exit', () => {
    Atomics.store(new Int32Array(closed), 0, 1)
    Atomics.notify(new Int32Array(closed), 0)
  })
  process.on('uncaughtException', (error) => {
    tell({ type: 'died', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    close()
  })
}
