import { arpRequest, broadcastUdp, tcp } from './frames.ts'
import type { Ask, Story } from './stories.ts'
import type { NetworkInput, WorldInput } from './world.ts'

/** m is on h1, on its way to h2; each host has another port of the network. What reaches m on both hosts is told twice. */
function world(network: NetworkInput): WorldInput {
  const hosts = [1, 2, 3].map((n) => [`h${n}`, { tunnel_ip: `192.0.2.${n}`, bridge_mappings: { physnet1: 'br-ex' } }] as const)
  return {
    hosts: Object.fromEntries(hosts),
    networks: { blue: network },
    ports: {
      m: { network: 'blue', host: 'h1', migratingTo: 'h2', tag: '0a', ips: ['10.0.0.10'] },
      b: { network: 'blue', host: 'h1', tag: '0b', ips: ['10.0.0.11'] },
      c: { network: 'blue', host: 'h2', tag: '0c', ips: ['10.0.0.12'] },
      d: { network: 'blue', host: 'h3', tag: '0d', ips: ['10.0.0.13'] },
    },
  }
}

function ask(says: string, from: Ask['from'], frame: Ask['frame'], ...reaches: string[]): Ask {
  return { says, from, frame, reaches }
}

const TUNNELLED: readonly Ask[] = [
  ask('from a third host, to both', 'd', tcp('0d', '10.0.0.13', '0a', '10.0.0.10'), 'm', 'm'),
  ask('from the old host, to both', 'b', tcp('0b', '10.0.0.11', '0a', '10.0.0.10'), 'm', 'm'),
  ask('from the new host, to both', 'c', tcp('0c', '10.0.0.12', '0a', '10.0.0.10'), 'm', 'm'),
  ask('what it sends', 'm', tcp('0a', '10.0.0.10', '0d', '10.0.0.13'), 'd'),
  ask('broadcast, to both', 'd', broadcastUdp('0d', '10.0.0.13', 4000, 5000), 'b', 'c', 'm', 'm'),
  ask('who asks for it is answered once', 'd', arpRequest('0d', '10.0.0.13', '10.0.0.10'), 'd answered'),
]

export const MIGRATION_STORIES: readonly Story[] = [
  { name: 'a port on its way to another host: vxlan', world: world({ type: 'vxlan', id: 100 }), asks: TUNNELLED },
  {
    name: 'a port on its way to another host: vlan',
    world: world({ type: 'vlan', physical_network: 'physnet1', id: 120 }),
    asks: TUNNELLED,
  },
]
