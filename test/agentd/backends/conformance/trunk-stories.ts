import { arpRequest, BROADCAST, broadcastUdp, ether, solicit, tcp, udp } from './frames.ts'
import type { Ask, Story } from './stories.ts'
import type { PortInput, WorldInput } from './world.ts'

/** Trunk of p on h1: s in red with VLAN 100, u in green with VLAN 200 and without port security. Each network has another port: c, r, g. */
const PORTS: Readonly<Record<string, PortInput>> = {
  p: { network: 'blue', host: 'h1', tag: '0a', ips: ['10.0.0.10'] },
  s: { network: 'red', host: 'h1', tag: '0b', ips: ['10.1.0.10', '2001:db8:5::b'], inside: { parent: 'p', vlan: 100 } },
  u: { network: 'green', host: 'h1', tag: '0c', ips: ['10.2.0.10'], security: false, inside: { parent: 'p', vlan: 200 } },
  c: { network: 'blue', host: 'h2', tag: '1a', ips: ['10.0.0.20'] },
  r: { network: 'red', host: 'h2', tag: '1b', ips: ['10.1.0.20', '2001:db8:5::1b'] },
  g: { network: 'green', host: 'h1', tag: '1c', ips: ['10.2.0.20'] },
}

const WORLD: WorldInput = {
  hosts: {
    h1: { tunnel_ip: '192.0.2.1', bridge_mappings: { physnet1: 'br-ex' } },
    h2: { tunnel_ip: '192.0.2.2', bridge_mappings: { physnet1: 'br-ex' } },
  },
  networks: {
    blue: { type: 'vxlan', id: 100 },
    red: { type: 'vxlan', id: 101 },
    green: { type: 'vlan', physical_network: 'physnet1', id: 100 },
  },
  ports: PORTS,
}

function ask(says: string, from: Ask['from'], frame: Ask['frame'], ...reaches: string[]): Ask {
  return { says, from, frame, reaches }
}

const DEAF: readonly Ask[] = [
  ask('a subport sends nothing', 's', tcp('0b', '10.1.0.10', '1b', '10.1.0.20')),
  ask('and gets nothing', 'r', tcp('1b', '10.1.0.20', '0b', '10.1.0.10')),
  ask('no copies either', 'g', broadcastUdp('1c', '10.2.0.20', 4000, 5000)),
]

export const TRUNK_STORIES: readonly Story[] = [
  {
    name: 'a trunk: three networks through one interface',
    world: WORLD,
    asks: [
      ask('a subport to another host', 's', tcp('0b', '10.1.0.10', '1b', '10.1.0.20'), 'r'),
      ask('and back, with its tag', 'r', tcp('1b', '10.1.0.20', '0b', '10.1.0.10'), 's'),
      ask('a subport without port security to a neighbour on the host', 'u', udp('0c', '10.2.0.10', '1c', '10.2.0.20'), 'g'),
      ask('and back', 'g', udp('1c', '10.2.0.20', '0c', '10.2.0.10'), 'u'),
      ask('the parent, untagged', 'p', tcp('0a', '10.0.0.10', '1a', '10.0.0.20'), 'c'),
      ask('to the parent, untagged', 'c', tcp('1a', '10.0.0.20', '0a', '10.0.0.10'), 'p'),
      ask(
        'broadcast reaches the subport, and neither the parent nor another subport',
        'r',
        broadcastUdp('1b', '10.1.0.20', 4000, 5000),
        's',
      ),
      ask('broadcast of a subport stays in its network', 's', broadcastUdp('0b', '10.1.0.10', 4000, 5000), 'r'),
      ask('broadcast of the parent stays in its own', 'p', broadcastUdp('0a', '10.0.0.10', 4000, 5000), 'c'),
      ask('the switch answers ARP to a subport, with its tag', 's', arpRequest('0b', '10.1.0.10', '10.1.0.20'), 's answered'),
      ask('and neighbour solicitations', 's', solicit('0b', '2001:db8:5::b', '2001:db8:5::1b'), 's answered'),
      ask('unknown unicast of the open network', 'g', udp('1c', '10.2.0.20', '77', '10.2.0.77'), 'u'),
    ],
  },
  {
    name: 'a trunk: what a guest may not do',
    world: WORLD,
    asks: [
      ask('a VLAN of no subport', 'p', { ...broadcastUdp('0b', '10.1.0.10', 4000, 5000), vlan: 300 }),
      ask('the network’s own VLAN id is none of the guest’s', 'p', { ...broadcastUdp('0c', '10.2.0.10', 4000, 5000), vlan: 101 }),
      ask('the MAC of the parent in a subport', 's', tcp('0a', '10.1.0.10', '1b', '10.1.0.20')),
      ask('the address of the parent in a subport', 's', tcp('0b', '10.0.0.10', '1b', '10.1.0.20')),
      ask('the MAC of a subport in the parent', 'p', tcp('0b', '10.0.0.10', '1a', '10.0.0.20')),
      ask('a second tag, with port security', 's', ether('0b', BROADCAST, 0x8100)),
      ask('a second tag, without', 'u', ether('0c', BROADCAST, 0x8100)),
      ask('a second tag of a provider', 'u', ether('0c', BROADCAST, 0x88a8)),
      ask('another ethertype, without port security', 'u', ether('0c', BROADCAST, 0x88cc), 'g'),
    ],
  },
  {
    name: 'a trunk: the parent is not plugged',
    world: { ...WORLD, ports: { ...PORTS, p: { ...PORTS['p'], unplugged: true } as PortInput } },
    asks: DEAF.slice(1),
  },
  {
    name: 'a trunk: the parent is down',
    world: { ...WORLD, ports: { ...PORTS, p: { ...PORTS['p'], up: false } as PortInput } },
    asks: DEAF,
  },
  {
    name: 'a trunk that is down: the parent goes on',
    world: { ...WORLD, trunksDown: ['p'] },
    asks: [...DEAF, ask('the parent', 'p', tcp('0a', '10.0.0.10', '1a', '10.0.0.20'), 'c')],
  },
]
