import { BroadcastChannel, isMainThread, workerData } from 'node:worker_threads'
import { isRecord } from '../../../src/lib/json.ts'

/*
 * Loaded with `--import` into every thread of a process, the hub's included: makes one of them busy, or throws in it, as a fault of our own or of a library would. The main thread passes on
 * what its parent says.
 */

export interface ThreadFault {
  readonly thread: 'reports' | 'rpc' | 'clerk'
  readonly fault: 'busy' | 'throw'
  readonly ms: number
}

const channel = new BroadcastChannel('thread faults')
channel.unref()
if (isMainThread) {
  process.on('message', (message) => channel.postMessage(message))
  process.channel?.unref()
} else channel.onmessage = (event) => suffer((event as { readonly data: ThreadFault }).data)

/** Which thread of the hub this is, by what it was started with. */
function own(): ThreadFault['thread'] | undefined {
  if (!isRecord(workerData)) return undefined
  if ('pub' in workerData) return 'reports'
  if ('rpc' in workerData) return 'rpc'
  return 'port' in workerData ? 'clerk' : undefined
}

function suffer({ thread, fault, ms }: ThreadFault): void {
  if (thread !== own()) return
  if (fault === 'throw') throw new Error('a fault on purpose')
  for (const until = performance.now() + ms; performance.now() < until; );
}
