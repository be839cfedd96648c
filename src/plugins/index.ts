import { log } from './log/plugin.ts'
import { ml2 } from './ml2/plugin.ts'
import { networkIpAvailability } from './network-ip-availability/plugin.ts'
import type { Plugin } from './plugin.ts'
import { qos } from './qos/plugin.ts'
import { revisions } from './revisions/plugin.ts'
import { router } from './router/plugin.ts'
import { taas } from './taas/plugin.ts'
import { tag } from './tag/plugin.ts'
import { timestamp } from './timestamp/plugin.ts'
import { trunk } from './trunk/plugin.ts'

/** Every plugin that comes with the program, one folder each. */
export const BUILT_IN: readonly Plugin[] = [log, ml2, networkIpAvailability, qos, revisions, router, taas, tag, timestamp, trunk]

/** Service plugins that are on unless the site file puts them into `disabled_plugins` (Neutron's default service plugins). */
export const ON_BY_DEFAULT: readonly string[] = [
  'log',
  'network_ip_availability',
  'qos',
  'revisions',
  'router',
  'taas',
  'tag',
  'timestamp',
  'trunk',
]
