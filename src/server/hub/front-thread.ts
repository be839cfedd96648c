import { Worker } from 'node:worker_threads'
import type { Report } from '../../wire/messages.ts'
import { HubError } from './error.ts'
import type { FromFront, FrontOptions, ToFront } from './front-protocol.ts'
import type { Refused } from './refusals.ts'

/** The main thread's hold on `front.ts`. */
export interface FrontThread {
  /** As bound. */
  readonly pub: string
  readonly reports: string
  tell(message: ToFront): void
  close(): Promise<void>
}

export interface FrontListener {
  onReport(report: Report, at: number): void
  onRefused(refused: readonly Refused[]): void
  /** The thread died by itself. */
  onFault(error: HubError): void
}

/** Longest time in milliseconds that an exiting process waits for the thread to close its sockets. */
const LAST_CALL_MS = 1000

/** Resolves when both sockets are bound. Throws `HubError` (bind, worker). */
export async function startFront(endpoints: Omit<FrontOptions, 'closed'>, listener: FrontListener): Promise<FrontThread> {
  const options: FrontOptions = { ...endpoints, closed: new SharedArrayBuffer(4) }
  const worker = new Worker(new URL('./front.js', import.meta.url), { workerData: options })
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const bound = await firstWord(worker)
  let closing = false
  // A thread that is torn down in the middle of a `receive` takes the process down with it (SIGABRT, zeromq.js 6.8): let it close its sockets first.
  const lastCall = (): void => {
    worker.postMessage({ type: 'close' } satisfies ToFront)
    Atomics.wait(new Int32Array(options.closed), 0, 0, LAST_CALL_MS)
  }
  process.once('exit', lastCall)
  worker.on('message', (message: FromFront) => {
    if (message.type === 'report') listener.onReport(message.report, message.at)
    else if (message.type === 'refused') listener.onRefused(message.refused)
  })
  worker.on('error', (cause) => listener.onFault(new HubError('worker', 'the reports thread died', { cause })))
  worker.once('exit', () => {
    if (!closing) listener.onFault(new HubError('worker', 'the reports thread ended'))
  })
  return {
    pub: bound.pub,
    reports: bound.reports,
    tell(message) {
      if (!closing) worker.postMessage(message)
    },
    async close() {
      if (!closing) worker.postMessage({ type: 'close' } satisfies ToFront)
      closing = true
      await ended
      process.off('exit', lastCall)
    },
  }
}

/** The thread's first message says whether its sockets are bound. */
async function firstWord(worker: Worker): Promise<FromFront & { readonly type: 'bound' }> {
  try {
    return await new Promise((resolve, reject) => {
      worker.once('error', (cause) => reject(new HubError('worker', 'the reports thread did not start', { cause })))
      worker.once('message', (message: FromFront) => {
        if (message.type === 'bound') resolve(message)
        else if (message.type === 'failed') reject(new HubError('bind', `cannot bind ${message.endpoint}: ${message.message}`))
      })
    })
  } finally {
    worker.removeAllListeners('error')
  }
}
