import type { Declaration } from './tables.ts'

type RouteTable = 'router' | 'router_own' | 'route' | 'neighbour' | 'router_answer' | 'router_fault' | 'router_back' | 'hops'

/** 50 to 59: routing (`routing.ts`). Every host routes what its own ports send. */
export const ROUTE_TABLES: Readonly<Record<RouteTable, Declaration>> = {
  router: {
    number: 50,
    matches: ['network', 'origin', 'eth_dst'],
    sets: ['router', 'sender', 'target', 'owner_mac', 'lladdr', 'entered'],
    jumps: ['router_own', 'l2'],
    arrives: 'What no responder answers.',
    leaves:
      'What a local port sends to the MAC of a router, to `router_own`, with the router as who sends it on: it may go back to the very port. Everything else to `l2`.',
  },
  router_own: {
    number: 51,
    matches: [
      ...(['router', 'network', 'entered', 'hopped', 'eth_type', 'ip_proto', 'icmp_type', 'icmpv6_type'] as const),
      ...(['ip_src', 'ip_dst', 'ipv6_src', 'ipv6_dst', 'nw_ttl'] as const),
    ],
    sets: ['fault'],
    jumps: ['route', 'router_answer', 'router_fault'],
    arrives: 'Frames to the MAC of a router.',
    leaves:
      'Pings of the router’s own addresses, to `router_answer`; what comes from a prefix that is on the side it came from, to `route`; what has no hop left, and what else is for the router, to `router_fault`. Dropped: what is no IP, or comes from or goes to addresses of the link, to a group, or to nobody.',
  },
  route: {
    number: 52,
    matches: ['router', 'eth_type', 'ip_dst', 'ipv6_dst'],
    sets: ['network', 'eth_src', 'claim', 'nw_ttl', 'too_big', 'path_mtu', 'fault', 'hop'],
    jumps: ['neighbour', 'router_fault', 'hops'],
    arrives: 'Packets to be forwarded.',
    leaves:
      'The same, by the longest prefix that the router knows, with one hop less: in the network of the leg, from its MAC, with the address that comes next. To `router_fault`: what no prefix holds.',
  },
  neighbour: {
    number: 53,
    matches: ['network', 'eth_type', 'claim', 'too_big'],
    sets: ['network', 'eth_dst', 'in_port', 'target', 'router', 'hopped', 'entered', 'fault'],
    jumps: ['ingress', 'router_fault'],
    back: ['router_own'],
    arrives: 'Packets on the network where they go next.',
    leaves:
      'To the port that has that address, wherever it lives; from one router to another, back to `router_own`. To `router_fault`: what is too big for the network, and what goes to an address that nobody has.',
  },
  router_answer: {
    number: 54,
    matches: ['eth_type', 'ip_proto', 'icmp_type', 'icmpv6_type'],
    sets: [
      ...(['swap', 'claim', 'eth_src', 'eth_dst', 'ip_src', 'ip_dst', 'ipv6_src', 'ipv6_dst'] as const),
      ...(['icmp_type', 'icmpv6_type', 'nw_ttl'] as const),
    ],
    jumps: ['router_back'],
    arrives: 'Pings of a router.',
    leaves: 'The answer, to `router_back`.',
  },
  router_fault: {
    number: 55,
    matches: ['router', 'entered', 'eth_type'],
    tells: true,
    arrives: 'Packets that a router does not forward.',
    leaves:
      'Nothing. The responder of the host gets the packet, with the addresses that the router has on the network by which it came, and sends the ICMP error by `router_back`: so many a second for each network.',
  },
  hops: {
    number: 57,
    matches: ['router', 'hop', 'eth_type', 'ip_dst', 'ipv6_dst'],
    sets: ['network', 'eth_src', 'claim', 'nw_ttl', 'too_big', 'path_mtu'],
    back: ['neighbour'],
    arrives:
      'Packets for a destination to which several next hops lead, with the number of one: by a hash of addresses and ports, so that a connection keeps to its own.',
    leaves: 'As from `route`, back to `neighbour`.',
  },
  router_back: {
    number: 56,
    matches: ['target'],
    sets: ['vlan_tci', 'vlan_vid', 'target'],
    jumps: ['copy'],
    outputs: true,
    arrives: 'What a router says itself to a port.',
    leaves: 'The same, straight to the port that it came from.',
  },
}
