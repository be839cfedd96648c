import type { Site } from '../kinds/kind.ts'
import { type Hub, type HubHandlers, openHub } from './hub/hub.ts'
import type { Security } from './hub/security.ts'
import type { ServeOptions } from './serve.ts'

/** The hub at the endpoints that the command line or the site file names, with keys where there are some. Throws `HubError`. */
export function openHubFor(options: ServeOptions, site: Site, handlers: Pick<HubHandlers, 'onHello' | 'onReport'>): Promise<Hub> {
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
      onFault: options.onFault,
      warn: (message) => options.log('warn', message),
      onRefused: ({ reason, host, detail }) => options.log('warn', 'refused; more of the same is only counted', { reason, host, detail }),
    },
  )
}

function securityOf(options: ServeOptions): Security {
  if (options.keys !== undefined) return { mode: 'keys', server: options.keys }
  return { mode: options.insecureLab ? 'insecure-lab' : 'local-only' }
}
