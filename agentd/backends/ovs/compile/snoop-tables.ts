import type { Declaration } from './tables.ts'

/** Where copies of multicast frames ask whom they are for (`snoop.ts`, `snoop-flows.ts`). */
export const SNOOP_TABLES: Readonly<Record<'snoop' | 'snoop_copy' | 'snooping' | 'snooped', Declaration>> = {
  snoop: {
    number: 76,
    matches: ['eth_type', 'ip_proto', 'icmpv6_type', 'origin', 'ip_dst', 'ipv6_dst'],
    jumps: ['snooping'],
    arrives: 'Broadcast and multicast of networks with IGMP snooping, before it is copied.',
    leaves:
      '(comes back; what is for a group beyond the link was looked up in `snooping`. What the agent itself sends, MLD queries and groups of the link are for everyone.)',
  },
  snoop_copy: {
    number: 77,
    matches: ['snooped'],
    jumps: ['snooped', 'ingress'],
    arrives: 'Copies for local ports in networks with IGMP snooping.',
    leaves: 'Those for everyone to `ingress`, the others to `snooped`.',
  },
  snooping: {
    number: 78,
    matches: ['network'],
    jumps: ['snooped'],
    arrives: 'What is for a group beyond the link.',
    leaves:
      'To `snooped`, while the agent is alive. The one flow here is made by the agent, runs out by itself, and is made anew as long as the agent hears: without it everyone gets everything.',
  },
  snooped: {
    number: 79,
    matches: ['eth_type', 'ip_proto', 'icmpv6_type', 'network', 'snooped', 'target', 'ip_dst', 'ipv6_dst'],
    sets: ['snooped'],
    jumps: ['ingress'],
    arrives:
      'What is for a group beyond the link, once as a whole, and then each copy. All flows here are made by the agent from what it heard.',
    leaves:
      'As a whole: (comes back, with whom it is for). Copies: those for a port that asked for the group, or that has a router behind it.',
  },
}
