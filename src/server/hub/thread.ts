import { type MessagePort, Worker } from 'node:worker_threads'
import { HubError } from './error.ts'

/** What every thread of the hub says besides its own: how it started, and why it ends when it was not told to. */
export type FromThread<Started> =
  | { readonly type: 'started'; readonly started: Started }
  | { readonly type: 'failed'; readonly endpoint: string; readonly message: string }
  | { readonly type: 'died'; readonly reason: string }

/** What every thread of the hub is started with. */
export interface ThreadData {
  /** One Int32, set to 1 and notified when the thread has closed its sockets: a process that is exiting can wait for nothing else. */
  readonly closed: SharedArrayBuffer
}

/** The main thread's hold on one of the hub's threads. */
export interface Thread<To, Started> {
  readonly started: Started
  tell(message: To): void
  close(): Promise<void>
}

export interface ThreadSpec<From> {
  /** As an operator would call it: `reports`, `rpc`. */
  readonly name: string
  readonly program: URL
  readonly data: object
  readonly ports?: readonly MessagePort[]
  readonly hasSockets: boolean
  readonly onMessage: (message: From) => void
  /** The thread died by itself. */
  readonly onFault: (error: HubError) => void
}

/** Longest time in milliseconds that an exiting process waits for the thread to close its sockets. */
const LAST_CALL_MS = 1000
/** A thread that is stuck is not waited for longer than this: the process ends all the same. */
const STUCK_MS = 5000

/** Resolves when the thread has started. Throws `HubError` (bind, worker). `To` has a member `{ type: 'close' }`, at which the thread ends. */
export async function startThread<To extends { readonly type: string }, From extends { readonly type: string }, Started>(
  spec: ThreadSpec<From>,
): Promise<Thread<To, Started>> {
  const closed = new SharedArrayBuffer(4)
  const { name, ports = [] } = spec
  const worker = new Worker(spec.program, { workerData: { ...spec.data, closed }, transferList: [...ports] })
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  let closing = false
  let fault = spec.onFault
  // A thread that is torn down in the middle of a `receive` takes the process down with it (SIGABRT, zeromq.js 6.8): let it close its sockets first.
  const lastCall = (): void => {
    worker.postMessage({ type: 'close' })
    Atomics.wait(new Int32Array(closed), 0, 0, LAST_CALL_MS)
  }
  function died(reason: string, cause?: unknown): void {
    if (closing) return
    closing = true
    fault(new HubError('worker', `the ${name} thread died: ${reason}`, { cause }))
  }
  const started = await new Promise<Started>((resolve, reject) => {
    fault = reject
    worker.on('error', (cause) => died(cause instanceof Error ? cause.message : String(cause), cause))
    worker.once('exit', () => died('it ended without a word'))
    worker.on('message', (message: FromThread<Started> | From) => {
      const word = message as FromThread<Started>
      if (word.type === 'started') resolve(word.started)
      else if (word.type === 'failed') reject(new HubError('bind', `cannot bind ${word.endpoint}: ${word.message}`))
      else if (word.type === 'died') died(word.reason)
      else spec.onMessage(message as From)
    })
  }).catch((error: unknown) => {
    closing = true
    throw error
  })
  fault = spec.onFault
  if (spec.hasSockets) process.once('exit', lastCall)
  return {
    started,
    tell(message) {
      if (!closing) worker.postMessage(message)
    },
    async close() {
      if (!closing) worker.postMessage({ type: 'close' })
      closing = true
      let timer: NodeJS.Timeout | undefined
      const stuck = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, STUCK_MS)
      })
      await Promise.race([ended, stuck])
      clearTimeout(timer)
      process.off('exit', lastCall)
    },
  }
}
