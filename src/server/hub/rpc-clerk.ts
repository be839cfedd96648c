import { parentPort, workerData } from 'node:worker_threads'
import { compileRequests } from '../../wire/codec.ts'
import { createClerk } from './clerk.ts'
import type { Letter, RpcClerkOptions, ToClerk } from './rpc-protocol.ts'
import { guardThread } from './thread-self.ts'

/* The thread of one clerk, where there are several: requests come from `rpc-door.ts`, and answers go back there. Does nothing when imported elsewhere. */

if (parentPort !== null) run(parentPort, workerData as RpcClerkOptions)

function run(main: NonNullable<typeof parentPort>, options: RpcClerkOptions): void {
  const { port } = options
  const clerk = createClerk(
    options,
    (message) => main.postMessage(message),
    (answered) => port.postMessage(answered),
  )
  function close(): void {
    clerk.close()
    port.close()
    main.close()
  }
  guardThread({ closed: options.closed, tell: (message) => main.postMessage(message), close })
  port.on('message', (letter: Letter) => clerk.take(letter))
  main.on('message', (message: ToClerk) => {
    clerk.hear(message)
    if (message.type === 'close') close()
  })
  compileRequests()
  main.postMessage({ type: 'started', started: { rpc: '', reports: undefined } })
}
