import type { Frame } from '../../../../agentd/backends/fake/frame.ts'
import { arpRequest, ping, solicit, tcp, udp } from './frames.ts'
import type { Ask, Story } from './stories.ts'
import { linkLocalOf, macOf, type PortInput, type WorldInput } from './world.ts'

/** r joins blue and red, s joins red and green. On h1 are a and b of blue and x of red, on h2 y of red, on h3 z of green; p of physnet1's VLAN is on h2, q of it on h1. */
const PORTS: Readonly<Record<string, PortInput>> = {
  a: { network: 'blue', host: 'h1', tag: '0a', ips: ['10.0.0.10', '2001:db8:5::a'] },
  b: { network: 'blue', host: 'h1', tag: '0b', ips: ['10.0.0.11'] },
  x: { network: 'red', host: 'h1', tag: '1a', ips: ['10.1.0.10', '2001:db8:6::a'] },
  y: { network: 'red', host: 'h2', tag: '1b', ips: ['10.1.0.11', '2001:db8:6::b'] },
  z: { network: 'green', host: 'h3', tag: '2a', ips: ['10.2.0.10'] },
  p: { network: 'yard', host: 'h2', tag: '3a', ips: ['10.3.0.10'] },
  q: { network: 'yard', host: 'h1', tag: '3b', ips: ['10.3.0.11'] },
}

const WORLD: WorldInput = {
  hosts: {
    h1: { tunnel_ip: '192.0.2.1', bridge_mappings: { physnet1: 'br-ex' } },
    h2: { tunnel_ip: '192.0.2.2', bridge_mappings: { physnet1: 'br-ex' } },
    h3: { tunnel_ip: '192.0.2.3', bridge_mappings: { physnet1: 'br-ex' } },
  },
  networks: {
    blue: { type: 'vxlan', id: 100 },
    red: { type: 'geneve', id: 101 },
    green: { type: 'vxlan', id: 102 },
    yard: { type: 'vlan', physical_network: 'physnet1', id: 30 },
  },
  ports: PORTS,
  routers: {
    r: {
      legs: {
        blue: { tag: 'a1', addresses: ['10.0.0.1/24', '2001:db8:5::1/64'] },
        red: { tag: 'a2', addresses: ['10.1.0.1/24', '2001:db8:6::1/64'] },
        yard: { tag: 'a3', addresses: ['10.3.0.1/24'] },
      },
      routes: [{ to: '10.2.0.0/16', via: '10.1.0.2', network: 'red' }],
    },
    s: {
      legs: { red: { tag: 'b1', addresses: ['10.1.0.2/24'] }, green: { tag: 'b2', addresses: ['10.2.0.1/24'] } },
      routes: [{ to: '0.0.0.0/0', via: '10.1.0.1', network: 'red' }],
    },
  },
}

function ask(says: string, from: Ask['from'], frame: Ask['frame'], ...reaches: string[]): Ask {
  return { says, from, frame, reaches }
}

/** A solicitation to the router's own MAC: is it still there? */
function probe(from: string, src: string, to: string, target: string): Frame {
  return { src: macOf(from), dst: macOf(to), body: { type: 'icmp6', src, dst: target, kind: 135, target, sll: macOf(from) } }
}

/** Words that are meant for a link, to a host on another. */
function through(from: string, src: string, to: string, dst: string, kind: number): Frame {
  return {
    src: macOf(from),
    dst: macOf(to),
    body: { type: 'icmp6', src, dst, kind, ...(kind === 135 ? { target: dst, sll: macOf(from) } : {}) },
  }
}

export const ROUTER_STORIES: readonly Story[] = [
  {
    name: 'routers: east-west',
    world: WORLD,
    asks: [
      ask('on the same host', 'a', tcp('0a', '10.0.0.10', 'a1', '10.1.0.10'), 'x'),
      ask('and back', 'x', tcp('1a', '10.1.0.10', 'a2', '10.0.0.10'), 'a'),
      ask('to another host', 'a', tcp('0a', '10.0.0.10', 'a1', '10.1.0.11'), 'y'),
      ask('and back, from a host without a port of blue', 'y', tcp('1b', '10.1.0.11', 'a2', '10.0.0.10'), 'a'),
      ask('over IPv6', 'a', tcp('0a', '2001:db8:5::a', 'a1', '2001:db8:6::b'), 'y'),
      ask('and back', 'y', tcp('1b', '2001:db8:6::b', 'a2', '2001:db8:5::a'), 'a'),
      ask('to a provider network', 'y', tcp('1b', '10.1.0.11', 'a2', '10.3.0.11'), 'q'),
      ask('and back', 'q', tcp('3b', '10.3.0.11', 'a3', '10.1.0.11'), 'y'),
      ask('back to a neighbour on the own network', 'a', udp('0a', '10.0.0.10', 'a1', '10.0.0.11'), 'b'),
      ask('an address that nobody has', 'a', tcp('0a', '10.0.0.10', 'a1', '10.1.0.99')),
      ask('a network that nobody knows', 'a', tcp('0a', '10.0.0.10', 'a1', '198.51.100.1')),
      ask('under an address of another', 'a', tcp('0a', '10.0.0.11', 'a1', '10.1.0.10')),
      ask('to a group', 'a', udp('0a', '10.0.0.10', 'a1', '224.0.0.5')),
      ask('to an address of the link', 'a', udp('0a', '10.0.0.10', 'a1', '169.254.1.1')),
      ask('to the MAC of a leg elsewhere', 'a', tcp('0a', '10.0.0.10', 'a2', '10.1.0.10')),
      ask(
        'from a tunnel to a router',
        { host: 'h1', type: 'vxlan', key: 100, address: '192.0.2.2' },
        tcp('0c', '10.0.0.12', 'a1', '10.1.0.10'),
      ),
    ],
  },
  {
    name: 'routers: answers of their own',
    world: WORLD,
    asks: [
      ask('its MAC', 'a', arpRequest('0a', '10.0.0.10', '10.0.0.1'), 'a answered'),
      ask('on every host', 'y', arpRequest('1b', '10.1.0.11', '10.1.0.1'), 'y answered'),
      ask('again, to itself', 'a', arpRequest('0a', '10.0.0.10', '10.0.0.1', macOf('a1')), 'a answered'),
      ask('IPv6', 'a', solicit('0a', '2001:db8:5::a', '2001:db8:5::1'), 'a answered'),
      ask('IPv6, its link-local address', 'a', solicit('0a', linkLocalOf('0a'), linkLocalOf('a1')), 'a answered'),
      ask('IPv6, to itself', 'a', probe('0a', '2001:db8:5::a', 'a1', '2001:db8:5::1'), 'a answered'),
      ask('not its address on another network', 'a', arpRequest('0a', '10.0.0.10', '10.1.0.1'), 'b'),
      ask('a ping', 'a', ping('0a', '10.0.0.10', 'a1', '10.0.0.1'), 'a answered'),
      ask('a ping of its other address', 'a', ping('0a', '10.0.0.10', 'a1', '10.1.0.1'), 'a answered'),
      ask('a ping over IPv6', 'a', ping('0a', '2001:db8:5::a', 'a1', '2001:db8:6::1'), 'a answered'),
      ask('a ping of its link-local address', 'a', ping('0a', linkLocalOf('0a'), 'a1', linkLocalOf('a1')), 'a answered'),
      ask('nothing else', 'a', tcp('0a', '10.0.0.10', 'a1', '10.0.0.1')),
    ],
  },
  {
    name: 'routers: one behind another',
    world: WORLD,
    asks: [
      ask('to a network of the second', 'a', tcp('0a', '10.0.0.10', 'a1', '10.2.0.10'), 'z'),
      ask('and back', 'z', tcp('2a', '10.2.0.10', 'b2', '10.0.0.10'), 'a'),
      ask('a ping of the second', 'a', ping('0a', '10.0.0.10', 'a1', '10.2.0.1'), 'a answered'),
      ask('what neither knows goes round, and ends', 'z', tcp('2a', '10.2.0.10', 'b2', '10.2.99.1')),
    ],
  },
  {
    name: 'routers: who may send from where, and what stays on its link',
    world: { ...WORLD, ports: { ...PORTS, u: { network: 'blue', host: 'h1', tag: '0e', ips: ['10.0.0.14'], security: false } } },
    asks: [
      ask('under its own address', 'u', tcp('0e', '10.0.0.14', 'a1', '10.1.0.10'), 'x'),
      ask('under that of a neighbour: its own network', 'u', tcp('0e', '10.0.0.10', 'a1', '10.1.0.10'), 'x'),
      ask('under an address of the network it speaks to', 'u', tcp('0e', '10.1.0.11', 'a1', '10.1.0.10')),
      ask('under an address of nobody', 'u', tcp('0e', '198.51.100.9', 'a1', '10.1.0.10')),
      ask('under one behind another router', 'u', tcp('0e', '10.2.0.10', 'a1', '10.1.0.10')),
      ask('a solicitation, through the router', 'a', through('0a', '2001:db8:5::a', 'a1', '2001:db8:6::a', 135)),
      ask('a question of MLD, through the router', 'a', through('0a', '2001:db8:5::a', 'a1', '2001:db8:6::a', 130)),
      ask('a ping, through the router', 'a', ping('0a', '2001:db8:5::a', 'a1', '2001:db8:6::a'), 'x'),
    ],
  },
  {
    name: 'routers: down',
    world: { ...WORLD, routers: { r: { ...WORLD.routers?.['r'], up: false } as never } },
    asks: [
      ask('nothing is forwarded', 'a', tcp('0a', '10.0.0.10', 'a1', '10.1.0.10')),
      ask('nothing answered', 'a', arpRequest('0a', '10.0.0.10', '10.0.0.1'), 'b'),
      ask('nor a ping', 'a', ping('0a', '10.0.0.10', 'a1', '10.0.0.1')),
      ask('neighbours are neighbours', 'a', tcp('0a', '10.0.0.10', '0b', '10.0.0.11'), 'b'),
    ],
  },
]
