import { createPresence } from '../../../src/server/presence.ts'
import { startHub } from './fleet.ts'
import type { ThreadFault } from './thread-fault.ts'
import { nextWorld, world } from './worlds.ts'

/* A hub in a process of its own, whose threads can be made to fail (see workers.test.ts): tells its parent where it is, and which hosts it misses. */

export type ProgramMessage =
  | { readonly type: 'bound'; readonly rpc: string }
  | { readonly type: 'missing'; readonly host: string; readonly at: number }
  | { readonly type: 'report'; readonly host: string; readonly revision: number; readonly at: number }

export interface ProgramParams {
  readonly workers: { readonly rpc: number; readonly reports: number }
  readonly hosts: readonly string[]
}

const { workers, hosts } = JSON.parse(process.argv[2] ?? '{}') as ProgramParams
const tell = (message: ProgramMessage): void => void process.send?.(message)
const presence = createPresence(hosts, performance.now())
const hub = await startHub(
  { teardown: () => undefined },
  { workers, heartbeatMs: 1000 },
  {
    onReport: async ({ host, revision }) => {
      presence.heard(host, performance.now())
      tell({ type: 'report', host, revision, at: Date.now() })
    },
  },
)
setInterval(() => {
  for (const { host } of presence.missing(performance.now()) as readonly { readonly host: string }[])
    tell({ type: 'missing', host, at: Date.now() })
}, 500)
const first = world({ fabric: { e: 1 } }, Object.fromEntries(hosts.map((h) => [h, ['fabric']])))
hub.restore(1, first, hosts)
tell({ type: 'bound', rpc: hub.endpoints.rpc })
process.on('message', (message: ThreadFault | { readonly publish: number }) => {
  if ('publish' in message) hub.publish(message.publish, nextWorld(first, { fabric: { e: message.publish } }))
})
process.once('disconnect', () => process.exit(0))
