import { Worker } from 'node:worker_threads'
import type { Wake, Waker } from './wake.ts'

export interface WakeThreadData {
  readonly root: string
  readonly extra: readonly string[]
}

/** To the thread. */
export type WakeOrder = { readonly follow: readonly string[] } | { readonly close: true }
/** From the thread: something woke it; the first member says whether events still work. */
export interface WakeNotice {
  readonly polling?: string
  readonly path?: string
}

/**
 * A waker in a thread of its own. After every event in a folder chokidar looks at all of its files again: for a thousand of them that is
 * 100 ms of work at the very moment when the server has a save to act on. If the thread dies, looks come from the clock.
 */
export function createWakerThread(root: string, extra: readonly string[], wake: Wake): Waker {
  const data: WakeThreadData = { root, extra }
  const worker = new Worker(new URL('./wake-worker.js', import.meta.url), { workerData: data })
  let trouble: string | undefined
  let closed = false
  worker.on('message', ({ polling, path }: WakeNotice) => {
    trouble = polling
    if (!closed) wake(path)
  })
  worker.on('error', (error) => {
    trouble = `file events have failed (${error instanceof Error ? error.message : String(error)}): looking once a second instead`
    wake()
  })
  const order = (message: WakeOrder) => worker.postMessage(message)
  return {
    polling: () => trouble,
    follow: (targets) => {
      if (targets.length > 0) order({ follow: targets })
    },
    close: async () => {
      closed = true
      order({ close: true })
      await worker.terminate()
    },
  }
}
