import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { KeyPair } from '../../wire/keys.ts'
import type { HubError } from './error.ts'
import type { ClerkOptions, FromClerk, RpcBound, RpcClerkOptions, RpcDoorOptions, ToClerk } from './rpc-protocol.ts'
import { startThread, type Thread } from './thread.ts'

/** The main thread's hold on the threads that answer `rpc`. */
export interface RpcThreads {
  readonly bound: RpcBound
  /** To every clerk. */
  tell(message: ToClerk): void
  /** To the thread with the sockets, which also lets peers in. */
  setKeys(message: ToClerk & { readonly type: 'keys' }): void
  close(): Promise<void>
}

export interface RpcThreadsOptions extends Omit<ClerkOptions, 'secured'> {
  readonly rpc: string
  readonly reports: string | undefined
  readonly keys: KeyPair | undefined
}

export interface RpcListener {
  /** `answer` goes to the clerk that spoke. */
  onMessage(message: FromClerk, answer: (message: ToClerk) => void): void
  onFault(error: HubError): void
}

type ClerkThread = Thread<ToClerk, RpcBound>

/**
 * One clerk shares a thread with the sockets: what it answers crosses no thread. With more of them the sockets have a thread of their own, which hands each request to the clerk of its host.
 * Throws `HubError` (bind, worker).
 */
export async function startRpcThreads(options: RpcThreadsOptions, listener: RpcListener): Promise<RpcThreads> {
  const { keys, clerks } = options
  const shared: Omit<RpcClerkOptions, 'port' | 'closed'> = {
    epoch: options.epoch,
    heartbeatMs: options.heartbeatMs,
    secured: keys !== undefined,
    floor: options.floor,
    clerks,
  }
  const threads: ClerkThread[] = []
  async function start(name: string, program: URL, data: object, ports: readonly MessagePort[]): Promise<ClerkThread> {
    let own: ClerkThread | undefined
    own = await startThread<ToClerk, FromClerk, RpcBound>({
      name,
      program,
      data,
      ports,
      hasSockets: 'rpc' in data,
      onMessage: (message) => listener.onMessage(message, (answer) => own?.tell(answer)),
      onFault: listener.onFault,
    })
    threads.push(own)
    return own
  }
  const close = async (): Promise<void> => void (await Promise.all(threads.map((thread) => thread.close())))
  try {
    const channels = Array.from({ length: clerks > 1 ? clerks : 0 }, () => new MessageChannel())
    const ports = channels.map((c) => c.port1)
    const data: Omit<RpcDoorOptions, 'closed'> = { ...shared, rpc: options.rpc, reports: options.reports, keys, ports }
    const door = await start('rpc', new URL('./rpc-door.js', import.meta.url), data, ports)
    const program = new URL('./rpc-clerk.js', import.meta.url)
    // All are waited for, so that one that does not start leaves none behind.
    const started = await Promise.allSettled(channels.map(({ port2: port }, i) => start(`rpc ${i}`, program, { ...shared, port }, [port])))
    for (const each of started) if (each.status === 'rejected') throw each.reason
    const speaking = threads.filter((thread) => clerks === 1 || thread !== door)
    return {
      bound: door.started,
      tell(message) {
        for (const thread of speaking) thread.tell(message)
      },
      setKeys(message) {
        for (const thread of threads) thread.tell(message)
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
