import type { Declaration } from './tables.ts'

const COPY_LIMIT = { matches: ['target'], sets: ['vlan_tci', 'vlan_vid'], meters: true, outputs: true } as const

type CopyTable = 'limit' | 'limit_again' | 'copy' | 'copy_limit' | 'copy_limit_again'

/** Where frames and copies of them wait at the limits of the port that gets them, and where copies leave (`limits.ts`, `copies.ts`). */
export const COPY_TABLES: Readonly<Record<CopyTable, Declaration>> = {
  // 120 to 124: QoS of what local ports receive
  limit: {
    number: 120,
    matches: ['target'],
    sets: ['vlan_tci', 'vlan_vid', 'target'],
    jumps: ['limit_again', 'copy'],
    meters: true,
    outputs: true,
    arrives: 'Frames that are about to be handed to a local port whose QoS policy limits what it receives.',
    leaves: 'To the port; where the policy limits both bits and packets, to `limit_again`. What is above the limit is dropped.',
  },
  limit_again: {
    number: 121,
    matches: ['target'],
    sets: ['vlan_tci', 'vlan_vid', 'target'],
    jumps: ['copy'],
    meters: true,
    outputs: true,
    arrives: 'What the first limit let pass.',
    leaves: 'To the port. What is above the second limit is dropped.',
  },
  // 125 to 129: copies for tap services and mirrors
  copy: {
    number: 125,
    matches: ['target'],
    sets: ['in_port', 'tun_id', 'tun_dst', 'tun_ipv6_dst', 'vlan_tci', 'vlan_vid', 'alone'],
    jumps: ['copy_limit'],
    outputs: true,
    arrives: 'Copies of frames, each with the tap service or the mirror that it is for. No rule has looked at them, and none will.',
    leaves:
      'To the port of the service: on other hosts under the key of the service, on this one at once or to the limits of what the port may receive; to the collector of the mirror.',
  },
  copy_limit: {
    number: 126,
    ...COPY_LIMIT,
    jumps: ['copy_limit_again'],
    arrives: 'Copies for a local port whose QoS policy limits what it receives.',
    leaves: 'As from `limit`, by the same meter.',
  },
  copy_limit_again: {
    number: 127,
    ...COPY_LIMIT,
    arrives: 'Copies that the first limit let pass.',
    leaves: 'As from `limit_again`, by the same meter.',
  },
}
