import type { Declaration } from './tables.ts'

type RouteTable = 'router' | 'router_own' | 'route' | 'neighbour' | 'router_answer'

/** 50 to 59: routing (`routing.ts`). Every host routes what its own ports send. */
export const ROUTE_TABLES: Readonly<Record<RouteTable, Declaration>> = {
  router: {
    number: 50,
    matches: ['network', 'origin', 'eth_dst'],
    sets: ['router', 'sender', 'target', 'owner_mac', 'lladdr'],
    jumps: ['router_own', 'l2'],
    arrives: 'What no responder answers.',
    leaves:
      'What a local port sends to the MAC of a router, to `router_own`, with the router as who sends it on: it may go back to the very port. Everything else to `l2`.',
  },
  router_own: {
    number: 51,
    matches: [
      ...(['router', 'network', 'hopped', 'eth_type', 'ip_proto', 'icmp_type', 'icmpv6_type'] as const),
      ...(['ip_src', 'ip_dst', 'ipv6_src', 'ipv6_dst', 'nw_ttl'] as const),
    ],
    jumps: ['route', 'router_answer'],
    arrives: 'Frames to the MAC of a router.',
    leaves:
      'Pings of the router’s own addresses, to `router_answer`; what may be forwarded, to `route`. Dropped: what is no IP, has no hop left, or comes from or goes to addresses of the link, to a group, or to nobody.',
  },
  route: {
    number: 52,
    matches: ['router', 'eth_type', 'ip_dst', 'ipv6_dst'],
    sets: ['network', 'eth_src', 'claim', 'nw_ttl'],
    jumps: ['neighbour'],
    arrives: 'Packets to be forwarded.',
    leaves:
      'The same, by the longest prefix that the router knows, with one hop less: in the network of the leg, from its MAC, with the address that comes next. A destination that no prefix holds is dropped.',
  },
  neighbour: {
    number: 53,
    matches: ['network', 'eth_type', 'claim'],
    sets: ['network', 'eth_dst', 'in_port', 'target', 'router', 'hopped'],
    jumps: ['ingress'],
    back: ['router_own'],
    arrives: 'Packets on the network where they go next.',
    leaves:
      'To the port that has that address, wherever it lives; from one router to another, back to `router_own`. An address that nobody has is dropped.',
  },
  router_answer: {
    number: 54,
    matches: ['target', 'eth_type', 'ip_proto', 'icmp_type', 'icmpv6_type'],
    sets: [
      ...(['swap', 'claim', 'eth_src', 'eth_dst', 'ip_src', 'ip_dst', 'ipv6_src', 'ipv6_dst'] as const),
      ...(['icmp_type', 'icmpv6_type', 'nw_ttl', 'vlan_tci', 'vlan_vid', 'target'] as const),
    ],
    jumps: ['copy'],
    outputs: true,
    arrives: 'Pings of a router.',
    leaves: 'The answer, straight back to who asked.',
  },
}
