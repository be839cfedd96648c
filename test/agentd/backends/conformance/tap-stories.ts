import { arpRequest, broadcastUdp, tcp, udp } from './frames.ts'
import type { Ask, Story } from './stories.ts'
import type { WorldInput } from './world.ts'

/** Rates that no frame of a story reaches. */
const WIDE = { rate: 1_000_000_000, burst: 1_000_000_000 }

/** a, b on h1 and c on h2 talk; m on h1 hears a and c, n on h3 hears a and m. p on h1 is a trunk's parent with s, to whom m listens, and l, who listens to s. */
const WORLD: WorldInput = {
  hosts: { h1: { tunnel_ip: '192.0.2.1' }, h2: { tunnel_ip: '192.0.2.2' }, h3: { tunnel_ip: '192.0.2.3' } },
  networks: {
    blue: { type: 'vxlan', id: 100 },
    red: { type: 'geneve', id: 100 },
    watch: { type: 'local' },
    lone: { type: 'local' },
    green: { type: 'local' },
  },
  ports: {
    a: { network: 'blue', host: 'h1', tag: '0a', ips: ['10.0.0.10'], groups: ['web'] },
    b: { network: 'blue', host: 'h1', tag: '0b', ips: ['10.0.0.11'], security: false },
    c: { network: 'blue', host: 'h2', tag: '0c', ips: ['10.0.0.12'] },
    m: { network: 'watch', host: 'h1', tag: '1a', ips: ['10.1.0.10'], groups: [], qos: { ingress: { bits: WIDE, packets: WIDE } } },
    n: { network: 'lone', host: 'h3', tag: '1b', ips: ['10.2.0.10'] },
    p: { network: 'green', host: 'h1', tag: '2a', ips: ['10.3.0.10'] },
    s: { network: 'red', host: 'h1', tag: '2b', ips: ['10.4.0.10'], inside: { parent: 'p', vlan: 100 } },
    l: { network: 'lone', host: 'h1', tag: '2c', ips: ['10.2.0.20'], inside: { parent: 'p', vlan: 200 } },
    r: { network: 'red', host: 'h2', tag: '2d', ips: ['10.4.0.20'] },
  },
  groups: {
    web: {
      rules: [
        { direction: 'egress', ethertype: 'IPv4', protocol: 6 },
        { direction: 'ingress', ethertype: 'IPv4', protocol: 6 },
      ],
    },
  },
  taps: {
    t: {
      port: 'm',
      key: 900,
      flows: [
        { from: 'a', direction: 'BOTH' },
        { from: 'c', direction: 'OUT' },
        { from: 's', direction: 'OUT' },
      ],
    },
    u: {
      port: 'n',
      key: 901,
      flows: [
        { from: 'a', direction: 'IN' },
        { from: 'm', direction: 'BOTH' },
      ],
    },
    v: { port: 'l', key: 902, flows: [{ from: 's', direction: 'BOTH' }] },
  },
}

function ask(says: string, from: Ask['from'], frame: Ask['frame'], ...reaches: string[]): Ask {
  return { says, from, frame, reaches: reaches.sort() }
}

export const TAP_STORIES: readonly Story[] = [
  {
    name: 'taps: who listens on the same host, on another, and is listened to',
    world: WORLD,
    asks: [
      ask('sent, to the same host', 'a', tcp('0a', '10.0.0.10', '0b', '10.0.0.11'), 'b', 'm'),
      ask('sent, to another host', 'a', tcp('0a', '10.0.0.10', '0c', '10.0.0.12'), 'c', 'm'),
      ask('sent, and dropped by a rule', 'a', udp('0a', '10.0.0.10', '0b', '10.0.0.11'), 'm'),
      ask('sent under an address that is not its own', 'a', tcp('0a', '10.0.0.99', '0b', '10.0.0.11'), 'm'),
      ask('a broadcast of its own, which nobody takes for received', 'a', broadcastUdp('0a', '10.0.0.10', 4000, 5000), 'm'),
      ask('received from the same host', 'b', tcp('0b', '10.0.0.11', '0a', '10.0.0.10'), 'a', 'm', 'n'),
      ask('received from another, who is heard as well', 'c', tcp('0c', '10.0.0.12', '0a', '10.0.0.10'), 'a', 'm', 'm', 'n'),
      ask('dropped by a rule before it is received', 'b', udp('0b', '10.0.0.11', '0a', '10.0.0.10')),
      ask('what the switch answers', 'a', arpRequest('0a', '10.0.0.10', '10.0.0.12'), 'a answered', 'm', 'm', 'n'),
      ask('between others', 'b', udp('0b', '10.0.0.11', '0c', '10.0.0.12'), 'c'),
      ask(
        'a key of copies from a host without a source',
        { host: 'h1', type: 'vxlan', key: 900, address: '192.0.2.3' },
        tcp('0c', '10.0.0.12', '0a', '10.0.0.10'),
      ),
      ask(
        'a key of copies, from a host with one',
        { host: 'h1', type: 'vxlan', key: 900, address: '192.0.2.2' },
        tcp('0c', '10.0.0.12', '0a', '10.0.0.10'),
        'm',
      ),
      ask('who listens speaks to nobody by it', 'm', tcp('1a', '10.1.0.10', '0a', '10.0.0.10'), 'n'),
      ask(
        'a subport, to another host; its listener is behind the same interface',
        's',
        tcp('2b', '10.4.0.10', '2d', '10.4.0.20'),
        'r',
        'm',
        'l',
      ),
      ask('and back', 'r', tcp('2d', '10.4.0.20', '2b', '10.4.0.10'), 's', 'l'),
      ask('the parent itself is not listened to', 'p', tcp('2a', '10.3.0.10', '2b', '10.4.0.10')),
    ],
  },
]
