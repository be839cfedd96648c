import { parentPort, workerData } from 'node:worker_threads'
import { createWaker } from './wake.ts'
import type { WakeNotice, WakeOrder, WakeThreadData } from './wake-thread.ts'

const { root, extra }: WakeThreadData = workerData
const waker = createWaker(root, extra, (path) => {
  const polling = waker.polling()
  const notice: WakeNotice = { ...(polling === undefined ? {} : { polling }), ...(path === undefined ? {} : { path }) }
  parentPort?.postMessage(notice)
})

parentPort?.on('message', (order: WakeOrder) => {
  if ('follow' in order) waker.follow(order.follow)
  else void waker.close().finally(() => parentPort?.close())
})
