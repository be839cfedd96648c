import type { Plugin } from '../plugin.ts'

/** Alias without a kind: what `netloom availability` answers is worked out from subnets and ports. */
export const IP_AVAILABILITY = 'network-ip-availability'

export const networkIpAvailability: Plugin = {
  name: 'network_ip_availability',
  role: 'service',
  summary: 'How many addresses every subnet has, and how many are left.',
  provides: ['NETWORK_IP_AVAILABILITY'],
  requires: ['CORE'],
  extensions: [
    { alias: IP_AVAILABILITY, summary: 'netloom availability.', requires: ['network', 'subnet'] },
    { alias: 'network-ip-availability-details', summary: 'By subnet, with what is reserved.', requires: [IP_AVAILABILITY] },
  ],
  agent_roles: [],
}
