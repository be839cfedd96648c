import { ml2 } from './ml2/plugin.ts'
import { networkIpAvailability } from './network-ip-availability/plugin.ts'
import type { Plugin } from './plugin.ts'
import { tag } from './tag/plugin.ts'

/** Every plugin that comes with the program, one folder each. */
export const BUILT_IN: readonly Plugin[] = [ml2, tag, networkIpAvailability]

/** Service plugins that are on unless the site file puts them into `disabled_plugins` (Neutron's default service plugins). */
export const ON_BY_DEFAULT: readonly string[] = ['tag', 'network_ip_availability']
