import type { Site } from '../kinds/kind.ts'
import { sameJson } from '../lib/json.ts'
import { type Hub, type HubHandlers, openHub } from './hub/hub.ts'
import type { Security } from './hub/security.ts'
import type { ServeOptions, ServerLog } from './serve.ts'

/** The hub at the endpoints that the command line or the site file names, with keys where there are some. Throws `HubError`. */
export function openHubFor(options: ServeOptions, site: Site, handlers: Pick<HubHandlers, 'onHello' | 'onReport'>): Promise<Hub> {
  let isDead = false
  return openHub(
    {
      endpoints: { ...site.endpoints, ...options.endpoints },
      installation: site.installation,
      heartbeatMs: options.heartbeatMs,
      security: securityOf(options),
      workers: site.workers,
    },
    {
      ...handlers,
      onFault: (error) => {
        options.log('error', 'the hub died; ending, to be started again', { error: String(error) })
        process.exitCode = 1
        // A second signal would end the process before it has closed.
        if (isDead) return
        isDead = true
        process.kill(process.pid, 'SIGTERM')
      },
      warn: (message) => options.log('warn', message),
      onRefused: ({ reason, host, detail }) => options.log('warn', 'refused; more of the same is only counted', { reason, host, detail }),
    },
  )
}

function securityOf(options: ServeOptions): Security {
  if (options.keys !== undefined) return { mode: 'keys', server: options.keys }
  return { mode: options.insecureLab ? 'insecure-lab' : 'local-only' }
}

/** Sockets are bound and threads are started once: a revision that names others takes effect at the next start. */
export function warnOfRestart(log: ServerLog, started: Site, now: Site): void {
  for (const setting of ['endpoints', 'workers'] as const) {
    if (!sameJson({ ...started[setting] }, { ...now[setting] }))
      log('warn', `${setting} changed: they take effect when the server is started again`, { ...now[setting] })
  }
}
