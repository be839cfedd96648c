import { ml2 } from './ml2/plugin.ts'
import { networkIpAvailability } from './network-ip-availability/plugin.ts'
import type { Plugin } from './plugin.ts'
import { revisions } from './revisions/plugin.ts'
import { tag } from './tag/plugin.ts'
import { timestamp } from './timestamp/plugin.ts'

/** Every plugin that comes with the program, one folder each. */
export const BUILT_IN: readonly Plugin[] = [ml2, networkIpAvailability, revisions, tag, timestamp]

/** Service plugins that are on unless the site file puts them into `disabled_plugins` (Neutron's default service plugins). */
export const ON_BY_DEFAULT: readonly string[] = ['network_ip_availability', 'revisions', 'tag', 'timestamp']
