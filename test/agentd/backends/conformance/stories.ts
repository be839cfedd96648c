import type { Frame } from '../../../../agentd/backends/fake/frame.ts'
import type { TunnelType } from '../../../../src/model/intent.ts'
import { advertise, arpReply, arpRequest, BROADCAST, broadcastUdp, ether, icmp6, solicit, tcp, udp } from './frames.ts'
import { linkLocalOf, macOf, type NetworkInput, type PortInput, type WorldInput } from './world.ts'

export interface Story {
  readonly name: string
  readonly world: WorldInput
  /** Asked in this order; what a switch learned from one question it knows in the next. */
  readonly asks: readonly Ask[]
}

export interface Ask {
  readonly says: string
  /** A port by name, or where a frame comes from that no port of ours sent. */
  readonly from: string | Stranger
  readonly frame: Frame
  /** Ports by name, sorted; `answered` after the sender's name: the switch itself answers. */
  readonly reaches: readonly string[]
}

/** A machine on the wire of a physical network, heard by every host; or one that sends into a host's tunnel. */
export type Stranger =
  | { readonly wire: string }
  | { readonly host: string; readonly type: TunnelType; readonly key: number; readonly address: string }

function ask(says: string, from: Ask['from'], frame: Frame, ...reaches: string[]): Ask {
  return { says, from, frame, reaches }
}

const V4 = { h1: { tunnel_ip: '192.0.2.1' }, h2: { tunnel_ip: '192.0.2.2' }, h3: { tunnel_ip: '192.0.2.3' } }
const V6 = { h1: { tunnel_ip: '2001:db8::1' }, h2: { tunnel_ip: '2001:db8::2' }, h3: { tunnel_ip: '2001:db8::3' } }
const MAPPED = {
  h1: { tunnel_ip: '192.0.2.1', bridge_mappings: { physnet1: 'br-ex' } },
  h2: { tunnel_ip: '192.0.2.2', bridge_mappings: { physnet1: 'br-ex' } },
  h3: { tunnel_ip: '192.0.2.3', bridge_mappings: { physnet1: 'br-provider-two' } },
}
const BLUE: NetworkInput = { type: 'vxlan', id: 100 }

/** a and b on h1, c on h2; h3 has a port of another network. */
const PORTS: Readonly<Record<string, PortInput>> = {
  a: { network: 'blue', host: 'h1', tag: '0a', ips: ['10.0.0.10', '2001:db8:5::a'] },
  b: { network: 'blue', host: 'h1', tag: '0b', ips: ['10.0.0.11', '2001:db8:5::b'] },
  c: { network: 'blue', host: 'h2', tag: '0c', ips: ['10.0.0.12', '2001:db8:5::c'] },
  x: { network: 'red', host: 'h3', tag: '0d', ips: ['10.0.0.13'] },
  y: { network: 'red', host: 'h1', tag: '0e', ips: ['10.0.0.10'] },
}
const NETWORKS: Readonly<Record<string, NetworkInput>> = { blue: BLUE, red: { type: 'vxlan', id: 101 } }
const PLAIN: WorldInput = { hosts: V4, networks: NETWORKS, ports: PORTS }

function carried(hosts: WorldInput['hosts'], network: NetworkInput): WorldInput {
  return { hosts, networks: { blue: network, red: { ...network, id: 7 } }, ports: PORTS }
}

/** Broadcast of a machine nobody declared. */
const STRANGE: Frame = broadcastUdp('77', '10.0.0.77', 4000, 5000)

const UNICAST: readonly Ask[] = [
  ask('to a neighbour on the host', 'a', udp('0a', '10.0.0.10', '0b', '10.0.0.11'), 'b'),
  ask('to another host', 'a', tcp('0a', '10.0.0.10', '0c', '10.0.0.12'), 'c'),
  ask('and back', 'c', tcp('0c', '10.0.0.12', '0a', '10.0.0.10'), 'a'),
  ask('over IPv6', 'c', tcp('0c', '2001:db8:5::c', '0a', '2001:db8:5::a'), 'a'),
  ask('broadcast reaches the network, and no other', 'a', broadcastUdp('0a', '10.0.0.10', 4000, 5000), 'b', 'c'),
  ask('broadcast of the far host', 'c', broadcastUdp('0c', '10.0.0.12', 4000, 5000), 'a', 'b'),
  ask('a MAC nobody has', 'a', udp('0a', '10.0.0.10', '77', '10.0.0.77')),
  ask("another network's MAC", 'a', udp('0a', '10.0.0.10', '0e', '10.0.0.10')),
]

export const STORIES: readonly Story[] = [
  { name: 'vxlan over IPv4', world: PLAIN, asks: UNICAST },
  { name: 'geneve over IPv4', world: carried(V4, { type: 'geneve', id: 100 }), asks: UNICAST },
  { name: 'gre over IPv4', world: carried(V4, { type: 'gre', id: 100_000_000 }), asks: UNICAST },
  { name: 'vxlan over IPv6', world: carried(V6, BLUE), asks: UNICAST },
  { name: 'geneve over IPv6', world: carried(V6, { type: 'geneve', id: 100 }), asks: UNICAST },
  { name: 'gre over IPv6', world: carried(V6, { type: 'gre', id: 100 }), asks: UNICAST },
  {
    name: 'spoofing',
    world: PLAIN,
    asks: [
      ask('its own', 'a', udp('0a', '10.0.0.10', '0b', '10.0.0.11'), 'b'),
      ask("a neighbour's IPv4", 'a', udp('0a', '10.0.0.11', '0b', '10.0.0.11')),
      ask("a neighbour's IPv6", 'a', tcp('0a', '2001:db8:5::b', '0c', '2001:db8:5::c')),
      ask('its link-local', 'a', tcp('0a', linkLocalOf('0a'), '0c', linkLocalOf('0c')), 'c'),
      ask("a neighbour's link-local", 'a', tcp('0a', linkLocalOf('0b'), '0c', '2001:db8:5::c')),
      ask("a neighbour's MAC", 'a', udp('0b', '10.0.0.11', '0c', '10.0.0.12')),
      ask("a neighbour's MAC with its own IP", 'a', udp('0b', '10.0.0.10', '0c', '10.0.0.12')),
      ask('0.0.0.0 to somebody', 'a', udp('0a', '0.0.0.0', '0c', '10.0.0.12')),
      ask('LLDP', 'a', ether('0a', '01:80:c2:00:00:0e', 0x88cc)),
      ask('EAPOL', 'a', ether('0a', '01:80:c2:00:00:03', 0x888e)),
      ask('a made-up ethertype to a neighbour', 'a', ether('0a', macOf('0b'), 0x9000)),
      ask('a tagged frame', 'a', { ...udp('0a', '10.0.0.10', '0b', '10.0.0.11'), vlan: 100 }),
      ask('a frame tagged with VLAN 0', 'a', { ...udp('0a', '10.0.0.10', '0b', '10.0.0.11'), vlan: 0 }),
      ask('RARP after a migration', 'a', { src: macOf('0a'), dst: BROADCAST, body: { type: 'rarp', sha: macOf('0a') } }, 'b', 'c'),
      ask("RARP with a neighbour's MAC", 'a', { src: macOf('0b'), dst: BROADCAST, body: { type: 'rarp', sha: macOf('0b') } }),
    ],
  },
  {
    name: 'allowed address pairs',
    world: {
      ...PLAIN,
      ports: {
        ...PORTS,
        a: {
          ...(PORTS['a'] as PortInput),
          allowed: [
            { mac: macOf('0a'), prefix: '10.9.0.0/16' },
            { mac: macOf('1a'), prefix: '10.0.0.99/32' },
            { mac: macOf('0a'), prefix: '2001:db8:9::/48' },
          ],
        },
      },
    },
    asks: [
      ask('an address of the prefix', 'a', udp('0a', '10.9.8.7', '0c', '10.0.0.12'), 'c'),
      ask('an IPv6 address of the prefix', 'a', tcp('0a', '2001:db8:9::1', '0c', '2001:db8:5::c'), 'c'),
      ask('outside the prefix', 'a', udp('0a', '10.10.8.7', '0c', '10.0.0.12')),
      ask('the second MAC with its address', 'a', udp('1a', '10.0.0.99', '0c', '10.0.0.12'), 'c'),
      ask('the second MAC with an address of the first', 'a', udp('1a', '10.0.0.10', '0c', '10.0.0.12')),
      ask('the first MAC with the address of the second', 'a', udp('0a', '10.0.0.99', '0c', '10.0.0.12')),
      ask('ARP for the prefix', 'a', arpReply('0a', '10.9.8.7', '0c', '10.0.0.12'), 'c'),
      ask('gratuitous ARP of the second MAC', 'a', arpRequest('1a', '10.0.0.99', '10.0.0.99'), 'b', 'c'),
      ask('link-local of the second MAC', 'a', tcp('1a', linkLocalOf('1a'), '0c', linkLocalOf('0c')), 'c'),
    ],
  },
  {
    name: 'a virtual router: one MAC and address that two ports may use',
    world: {
      ...PLAIN,
      ports: {
        ...PORTS,
        b: { ...(PORTS['b'] as PortInput), allowed: [{ mac: macOf('1a'), prefix: '10.0.0.1/32' }] },
        c: { ...(PORTS['c'] as PortInput), allowed: [{ mac: macOf('1a'), prefix: '10.0.0.1/32' }] },
        d: { network: 'blue', host: 'h3', tag: '2a', ips: ['10.0.0.20'] },
      },
    },
    asks: [
      ask('its address is asked for everywhere', 'a', arpRequest('0a', '10.0.0.10', '10.0.0.1'), 'b', 'c', 'd'),
      ask('before anyone used it: to those who may', 'a', udp('0a', '10.0.0.10', '1a', '10.0.0.1'), 'b', 'c'),
      ask('another unknown MAC: to nobody', 'a', udp('0a', '10.0.0.10', '1b', '10.0.0.1')),
      ask('b takes it', 'b', arpRequest('1a', '10.0.0.1', '10.0.0.1'), 'a', 'c', 'd'),
      ask('from then on it is b', 'a', udp('0a', '10.0.0.10', '1a', '10.0.0.1'), 'b'),
      ask('from far hosts too', 'd', udp('2a', '10.0.0.20', '1a', '10.0.0.1'), 'b'),
      ask('c takes over', 'c', arpRequest('1a', '10.0.0.1', '10.0.0.1'), 'a', 'b', 'd'),
      ask('and it is c', 'a', udp('0a', '10.0.0.10', '1a', '10.0.0.1'), 'c'),
      ask('from far hosts too', 'd', udp('2a', '10.0.0.20', '1a', '10.0.0.1'), 'c'),
      ask('a may not', 'a', arpRequest('1a', '10.0.0.1', '10.0.0.1')),
    ],
  },
  {
    name: 'ARP',
    world: PLAIN,
    asks: [
      ask('for a neighbour: answered by the switch', 'a', arpRequest('0a', '10.0.0.10', '10.0.0.11'), 'a answered'),
      ask('for a port on another host', 'a', arpRequest('0a', '10.0.0.10', '10.0.0.12'), 'a answered'),
      ask('for an address nobody has: asked around', 'a', arpRequest('0a', '10.0.0.10', '10.0.0.77'), 'b', 'c'),
      ask("for another network's address: not known here", 'a', arpRequest('0a', '10.0.0.10', '10.0.0.13'), 'b', 'c'),
      ask('for itself: announced, not answered', 'a', arpRequest('0a', '10.0.0.10', '10.0.0.10'), 'b', 'c'),
      ask('a probe for its own address', 'a', arpRequest('0a', '0.0.0.0', '10.0.0.10'), 'b', 'c'),
      ask("a probe for a neighbour's address", 'a', arpRequest('0a', '0.0.0.0', '10.0.0.11')),
      ask('also straight to the neighbour', 'a', arpRequest('0a', '0.0.0.0', '10.0.0.11', macOf('0b'))),
      ask('unicast, to see whether the neighbour lives', 'a', arpRequest('0a', '10.0.0.10', '10.0.0.11', macOf('0b')), 'b'),
      ask('a reply', 'a', arpReply('0a', '10.0.0.10', '0c', '10.0.0.12'), 'c'),
      ask("a reply that claims a neighbour's address", 'a', arpReply('0a', '10.0.0.11', '0c', '10.0.0.12')),
      ask("a question that claims a neighbour's address", 'a', arpRequest('0a', '10.0.0.11', '10.0.0.12')),
      ask('a reply with another hardware address inside', 'a', {
        src: macOf('0a'),
        dst: macOf('0c'),
        body: { type: 'arp', op: 2, sha: macOf('0b'), spa: '10.0.0.10', tha: macOf('0c'), tpa: '10.0.0.12' },
      }),
      ask('two networks with the same address: each its own', 'y', arpRequest('0e', '10.0.0.10', '10.0.0.13'), 'y answered'),
      ask('and none of the other', 'y', arpRequest('0e', '10.0.0.10', '10.0.0.11'), 'x'),
    ],
  },
  {
    name: 'neighbour discovery',
    world: PLAIN,
    asks: [
      ask('for a neighbour: answered by the switch', 'a', solicit('0a', '2001:db8:5::a', '2001:db8:5::b'), 'a answered'),
      ask('for a port on another host', 'a', solicit('0a', '2001:db8:5::a', '2001:db8:5::c'), 'a answered'),
      ask("for another host's link-local", 'a', solicit('0a', linkLocalOf('0a'), linkLocalOf('0c')), 'a answered'),
      ask('without the option: to the owner alone', 'a', solicit('0a', '2001:db8:5::a', '2001:db8:5::b', null), 'b'),
      ask('without the option, to another host', 'a', solicit('0a', '2001:db8:5::a', '2001:db8:5::c', null), 'c'),
      ask('duplicate address detection of its own: asked around', 'a', solicit('0a', '::', '2001:db8:5::a', null), 'b', 'c'),
      ask("detection of a neighbour's address is not its to make", 'a', solicit('0a', '::', '2001:db8:5::b', null)),
      ask('for itself', 'a', solicit('0a', '2001:db8:5::a', '2001:db8:5::a'), 'b', 'c'),
      ask('for an address nobody has', 'a', solicit('0a', '2001:db8:5::a', '2001:db8:5::77'), 'b', 'c'),
      ask("with a neighbour's link-layer address inside", 'a', solicit('0a', '2001:db8:5::a', '2001:db8:5::c', macOf('0b'))),
      ask("from a neighbour's address", 'a', solicit('0a', '2001:db8:5::b', '2001:db8:5::c')),
      ask('from :: with the option, which is forbidden', 'a', solicit('0a', '::', '2001:db8:5::a')),
      ask('advertisement of its own', 'a', advertise('0a', '2001:db8:5::a', '2001:db8:5::a'), 'b', 'c'),
      ask('advertisement without the option', 'a', advertise('0a', '2001:db8:5::a', '2001:db8:5::a', null), 'b', 'c'),
      ask("advertisement of a neighbour's", 'a', advertise('0a', '2001:db8:5::a', '2001:db8:5::b')),
      ask("advertisement with a neighbour's link-layer address", 'a', advertise('0a', '2001:db8:5::a', '2001:db8:5::a', macOf('0b'))),
      ask("advertisement from a neighbour's address", 'a', advertise('0a', '2001:db8:5::b', '2001:db8:5::a')),
      ask('detection of its link-local', 'a', solicit('0a', '::', linkLocalOf('0a'), null), 'b', 'c'),
      ask('advertisement of its link-local', 'a', advertise('0a', linkLocalOf('0a'), linkLocalOf('0a')), 'b', 'c'),
      ask('detection on the far host is heard here', 'c', solicit('0c', '::', '2001:db8:5::c', null), 'a', 'b'),
      ask('MLD report from ::', 'a', icmp6('0a', '::', 143), 'b', 'c'),
      ask('MLD report of version 1 from ::', 'a', icmp6('0a', '::', 131), 'b', 'c'),
      ask('MLD done from ::', 'a', icmp6('0a', '::', 132), 'b', 'c'),
      ask('MLD report from its link-local', 'a', icmp6('0a', linkLocalOf('0a'), 143), 'b', 'c'),
      ask('router solicitation from ::', 'a', icmp6('0a', '::', 133), 'b', 'c'),
      ask('echo from ::', 'a', icmp6('0a', '::', 128)),
    ],
  },
  {
    name: 'no rogue server, no rogue router',
    world: PLAIN,
    asks: [
      ask('DHCP discover', 'a', broadcastUdp('0a', '0.0.0.0', 68, 67), 'b', 'c'),
      ask('DHCP renewal, to the server it has', 'a', udp('0a', '10.0.0.10', '0c', '10.0.0.12', 68, 67), 'c'),
      ask('DHCP offer', 'a', broadcastUdp('0a', '10.0.0.10', 67, 68)),
      ask('DHCP acknowledgement', 'a', udp('0a', '10.0.0.10', '0b', '10.0.0.11', 67, 68)),
      ask('DHCPv6 solicit', 'a', udp('0a', linkLocalOf('0a'), '0c', 'ff02::1:2', 546, 547), 'c'),
      ask('DHCPv6 reply', 'a', udp('0a', linkLocalOf('0a'), '0c', linkLocalOf('0c'), 547, 546)),
      ask('DHCP offer from another port', 'a', udp('0a', '10.0.0.10', '0b', '10.0.0.11', 4000, 68)),
      ask('DHCPv6 reply from another port', 'a', udp('0a', linkLocalOf('0a'), '0c', linkLocalOf('0c'), 4000, 546)),
      ask('router advertisement', 'a', icmp6('0a', linkLocalOf('0a'), 134)),
      ask('redirect', 'a', icmp6('0a', linkLocalOf('0a'), 137)),
      ask('0.0.0.0 as anything else', 'a', broadcastUdp('0a', '0.0.0.0', 4000, 5000)),
    ],
  },
  {
    name: 'without port security',
    world: {
      ...PLAIN,
      ports: {
        ...PORTS,
        f: { network: 'blue', host: 'h1', tag: '0f', ips: ['10.0.0.15'], security: false },
        g: { network: 'blue', host: 'h2', tag: '1f', ips: ['10.0.0.16'], security: false },
      },
    },
    asks: [
      ask('any address', 'f', udp('0f', '172.16.0.1', '0c', '10.0.0.12'), 'c'),
      ask('any ethertype', 'f', ether('0f', macOf('0c'), 0x9000), 'c'),
      ask('not a tag', 'f', { ...udp('0f', '10.0.0.15', '0c', '10.0.0.12'), vlan: 100 }),
      ask('not a group as its address', 'f', { ...udp('0f', '10.0.0.15', '0c', '10.0.0.12'), src: '03:00:00:00:00:01' }),
      ask('a MAC nobody declared is looked for at such ports only', 'a', udp('0a', '10.0.0.10', '66', '10.0.0.66'), 'f', 'g'),
      ask('it speaks', 'f', udp('66', '10.0.0.66', '0a', '10.0.0.10'), 'a'),
      ask('and is known from then on, on its host', 'a', udp('0a', '10.0.0.10', '66', '10.0.0.66'), 'f'),
      ask('another host has not heard it', 'c', udp('0c', '10.0.0.12', '66', '10.0.0.66'), 'f', 'g'),
      ask('it speaks to that host', 'f', udp('66', '10.0.0.66', '0c', '10.0.0.12'), 'c'),
      ask('which knows it now', 'c', udp('0c', '10.0.0.12', '66', '10.0.0.66'), 'f'),
      ask('it moves', 'g', udp('66', '10.0.0.66', '0a', '10.0.0.10'), 'a'),
      ask('and is found where it is', 'a', udp('0a', '10.0.0.10', '66', '10.0.0.66'), 'g'),
      ask('a declared address in its mouth', 'f', udp('0b', '10.0.0.11', '0c', '10.0.0.12'), 'c'),
      ask('does not draw the traffic away', 'a', udp('0a', '10.0.0.10', '0b', '10.0.0.11'), 'b'),
      ask('detection with the option, which is forbidden, is not answered', 'f', solicit('0f', '::', '2001:db8:5::a'), 'a'),
      ask('nor detection without it', 'f', solicit('0f', '::', '2001:db8:5::c', null), 'c'),
      ask('a router advertisement is its affair', 'f', icmp6('0f', linkLocalOf('0f'), 134), 'a', 'b', 'c', 'g'),
    ],
  },
  {
    name: 'strangers in the tunnel',
    world: PLAIN,
    asks: [
      ask('a host that has the network', { host: 'h1', type: 'vxlan', key: 100, address: '192.0.2.2' }, STRANGE, 'a', 'b'),
      ask('a host that has another', { host: 'h1', type: 'vxlan', key: 100, address: '192.0.2.3' }, STRANGE),
      ask('a host nobody declared', { host: 'h1', type: 'vxlan', key: 100, address: '192.0.2.4' }, STRANGE),
      ask('a key nobody has', { host: 'h1', type: 'vxlan', key: 99, address: '192.0.2.2' }, STRANGE),
      ask("another network's key, for which it has no port", { host: 'h1', type: 'vxlan', key: 101, address: '192.0.2.2' }, STRANGE),
      ask('a tagged frame inside', { host: 'h1', type: 'vxlan', key: 100, address: '192.0.2.2' }, { ...STRANGE, vlan: 5 }),
      ask(
        'for a port of a third host: not passed on',
        { host: 'h1', type: 'vxlan', key: 100, address: '192.0.2.2' },
        udp('77', '10.0.0.77', '0c', '10.0.0.12'),
      ),
      ask('a host without the network', { host: 'h2', type: 'vxlan', key: 101, address: '192.0.2.1' }, STRANGE),
      ask(
        'a question for a port here goes to it alone',
        { host: 'h1', type: 'vxlan', key: 100, address: '192.0.2.2' },
        solicit('0c', '2001:db8:5::c', '2001:db8:5::a'),
        'a',
      ),
    ],
  },
  {
    name: 'machines on the wire',
    world: {
      hosts: MAPPED,
      networks: { blue: { type: 'vlan', physical_network: 'physnet1', id: 100 }, red: { type: 'flat', physical_network: 'physnet1' } },
      ports: { ...PORTS, z: { network: 'blue', host: 'h3', tag: '0f', ips: ['10.0.0.15'], security: false } },
    },
    asks: [
      ask('broadcast in the VLAN', { wire: 'physnet1' }, { ...STRANGE, vlan: 100 }, 'a', 'b', 'c', 'z'),
      ask('untagged: the flat network', { wire: 'physnet1' }, STRANGE, 'x', 'y'),
      ask('a VLAN nobody has', { wire: 'physnet1' }, { ...STRANGE, vlan: 102 }),
      ask('to a port', { wire: 'physnet1' }, { ...udp('77', '10.0.0.77', '0a', '10.0.0.10'), vlan: 100 }, 'a'),
      ask('to a port, in the wrong VLAN', { wire: 'physnet1' }, udp('77', '10.0.0.77', '0a', '10.0.0.10')),
      ask(
        'ARP is for the owner to answer',
        { wire: 'physnet1' },
        { ...arpRequest('77', '10.0.0.77', '10.0.0.10'), vlan: 100 },
        'a',
        'b',
        'c',
        'z',
      ),
      ask(
        'a solicitation: to the owner on its host, heard on the others',
        { wire: 'physnet1' },
        { ...solicit('77', '2001:db8:5::77', '2001:db8:5::a'), vlan: 100 },
        'a',
        'c',
        'z',
      ),
      ask('it was heard: unicast to it leaves for the wire alone', 'a', udp('0a', '10.0.0.10', '77', '10.0.0.77')),
      ask(
        'an unknown address: to the wire, and to ports without port security',
        { wire: 'physnet1' },
        { ...udp('77', '10.0.0.77', '66', '10.0.0.66'), vlan: 100 },
        'z',
      ),
    ],
  },
  {
    name: 'down, unplugged, unbound',
    world: {
      ...PLAIN,
      networks: { ...NETWORKS, off: { type: 'vxlan', id: 102, up: false } },
      ports: {
        ...PORTS,
        b: { ...(PORTS['b'] as PortInput), up: false },
        d: { network: 'blue', host: 'h3', tag: '2a', ips: ['10.0.0.20'], up: false },
        e: { network: 'blue', host: 'h1', tag: '2b', ips: ['10.0.0.21'], unplugged: true },
        u: { network: 'blue', tag: '2c', ips: ['10.0.0.22'] },
        p: { network: 'off', host: 'h1', tag: '2d', ips: ['10.0.0.23'] },
        q: { network: 'off', host: 'h1', tag: '2e', ips: ['10.0.0.24'] },
      },
    },
    asks: [
      ask('a port that is down sends nothing', 'b', udp('0b', '10.0.0.11', '0a', '10.0.0.10')),
      ask('and gets nothing', 'a', udp('0a', '10.0.0.10', '0b', '10.0.0.11')),
      ask('nor is answered for', 'a', arpRequest('0a', '10.0.0.10', '10.0.0.11'), 'c'),
      ask('a host whose only port is down gets no broadcast', 'a', broadcastUdp('0a', '10.0.0.10', 4000, 5000), 'c'),
      ask('nor unicast', 'a', udp('0a', '10.0.0.10', '2a', '10.0.0.20')),
      ask('an unplugged port gets nothing', 'a', udp('0a', '10.0.0.10', '2b', '10.0.0.21')),
      ask('an unbound port is nowhere', 'a', udp('0a', '10.0.0.10', '2c', '10.0.0.22')),
      ask('a network that is down carries nothing', 'p', udp('2d', '10.0.0.23', '2e', '10.0.0.24')),
    ],
  },
  {
    name: 'VLAN',
    world: {
      hosts: MAPPED,
      networks: {
        blue: { type: 'vlan', physical_network: 'physnet1', id: 100 },
        red: { type: 'vlan', physical_network: 'physnet1', id: 101 },
      },
      ports: { ...PORTS, z: { network: 'blue', host: 'h3', tag: '0f', ips: ['10.0.0.15'], security: false } },
    },
    asks: [
      ask('to another host', 'a', udp('0a', '10.0.0.10', '0c', '10.0.0.12'), 'c'),
      ask('between hosts with different bridges', 'a', udp('0a', '10.0.0.10', '0f', '10.0.0.15'), 'z'),
      ask('broadcast stays in its VLAN', 'a', broadcastUdp('0a', '10.0.0.10', 4000, 5000), 'b', 'c', 'z'),
      ask('the other VLAN', 'y', broadcastUdp('0e', '10.0.0.10', 4000, 5000), 'x'),
      ask('no way into the other VLAN with a tag', 'a', { ...udp('0a', '10.0.0.10', '0d', '10.0.0.13'), vlan: 101 }),
      ask('nor without port security', 'z', { ...udp('0f', '10.0.0.15', '0d', '10.0.0.13'), vlan: 101 }),
      ask('unknown unicast goes out, and to ports without port security', 'a', udp('0a', '10.0.0.10', '66', '10.0.0.66'), 'z'),
      ask('ARP', 'a', arpRequest('0a', '10.0.0.10', '10.0.0.12'), 'a answered'),
      ask(
        'solicitation without the option: onto the wire, which other hosts hear',
        'a',
        solicit('0a', '2001:db8:5::a', '2001:db8:5::c', null),
        'c',
        'z',
      ),
    ],
  },
  {
    name: 'one network on two segments',
    world: {
      hosts: MAPPED,
      networks: {
        blue: {
          type: 'local',
          segments: { rack: { type: 'vlan', physical_network: 'physnet1', id: 100 }, overlay: { type: 'vxlan', id: 100 } },
        },
      },
      ports: {
        a: { network: 'blue', segment: 'rack', host: 'h1', tag: '0a', ips: ['10.0.0.10'] },
        b: { network: 'blue', segment: 'rack', host: 'h1', tag: '0b', ips: ['10.0.0.11'] },
        c: { network: 'blue', segment: 'rack', host: 'h3', tag: '0c', ips: ['10.0.0.12'] },
        d: { network: 'blue', segment: 'overlay', host: 'h1', tag: '0d', ips: ['10.0.0.13'] },
        e: { network: 'blue', segment: 'overlay', host: 'h2', tag: '0e', ips: ['10.0.0.14'] },
        u: { network: 'blue', tag: '0f', ips: ['10.0.0.15'] },
      },
    },
    asks: [
      ask('the same host and segment', 'a', udp('0a', '10.0.0.10', '0b', '10.0.0.11'), 'b'),
      ask('the same segment, another host, by VLAN', 'a', udp('0a', '10.0.0.10', '0c', '10.0.0.12'), 'c'),
      ask('the same segment, another host, by tunnel', 'd', tcp('0d', '10.0.0.13', '0e', '10.0.0.14'), 'e'),
      ask('the other segment, on the same host', 'a', udp('0a', '10.0.0.10', '0d', '10.0.0.13')),
      ask('the other segment, the other way', 'd', udp('0d', '10.0.0.13', '0a', '10.0.0.10')),
      ask('the other segment, another host', 'c', udp('0c', '10.0.0.12', '0e', '10.0.0.14')),
      ask('broadcast in the VLAN', 'a', broadcastUdp('0a', '10.0.0.10', 4000, 5000), 'b', 'c'),
      ask('broadcast in the tunnel', 'e', broadcastUdp('0e', '10.0.0.14', 4000, 5000), 'd'),
      ask('ARP is answered within the segment', 'd', arpRequest('0d', '10.0.0.13', '10.0.0.14'), 'd answered'),
      ask(
        'ARP for the other segment is asked of all, whoever joins the two may answer',
        'a',
        arpRequest('0a', '10.0.0.10', '10.0.0.14'),
        'b',
        'c',
      ),
      ask(
        'what an outsider brings over from the other segment',
        { wire: 'physnet1' },
        { ...udp('0e', '10.0.0.14', '0a', '10.0.0.10'), vlan: 100 },
        'a',
      ),
    ],
  },
  {
    name: 'flat',
    world: {
      hosts: MAPPED,
      networks: { blue: { type: 'flat', physical_network: 'physnet1' }, red: { type: 'vlan', physical_network: 'physnet1', id: 101 } },
      ports: PORTS,
    },
    asks: [
      ask('to another host', 'a', udp('0a', '10.0.0.10', '0c', '10.0.0.12'), 'c'),
      ask('and back', 'c', udp('0c', '10.0.0.12', '0a', '10.0.0.10'), 'a'),
      ask('broadcast', 'a', broadcastUdp('0a', '10.0.0.10', 4000, 5000), 'b', 'c'),
      ask('beside a VLAN on the same wire', 'y', broadcastUdp('0e', '10.0.0.10', 4000, 5000), 'x'),
      ask('no tag', 'a', { ...udp('0a', '10.0.0.10', '0d', '10.0.0.13'), vlan: 101 }),
    ],
  },
  {
    name: 'local',
    world: { hosts: MAPPED, networks: { blue: { type: 'local' }, red: { type: 'local' } }, ports: PORTS },
    asks: [
      ask('on the host', 'a', udp('0a', '10.0.0.10', '0b', '10.0.0.11'), 'b'),
      ask('never to another', 'a', udp('0a', '10.0.0.10', '0c', '10.0.0.12')),
      ask('broadcast', 'a', broadcastUdp('0a', '10.0.0.10', 4000, 5000), 'b'),
      ask('no answer for what cannot be reached', 'a', arpRequest('0a', '10.0.0.10', '10.0.0.12'), 'b'),
    ],
  },
  {
    name: 'a host without tunnels, one without the bridge, one of the other IP version',
    world: {
      hosts: { h1: { tunnel_ip: '192.0.2.1', bridge_mappings: { physnet1: 'br-missing' } }, h2: {}, h3: { tunnel_ip: '2001:db8::3' } },
      networks: { blue: BLUE, red: { type: 'vlan', physical_network: 'physnet1', id: 7 } },
      ports: { ...PORTS, d: { network: 'blue', host: 'h3', tag: '2a', ips: ['10.0.0.20'] } },
    },
    asks: [
      ask('on the host', 'a', udp('0a', '10.0.0.10', '0b', '10.0.0.11'), 'b'),
      ask('to the host without tunnels', 'a', udp('0a', '10.0.0.10', '0c', '10.0.0.12')),
      ask('from it', 'c', broadcastUdp('0c', '10.0.0.12', 4000, 5000)),
      ask('to the other IP version', 'a', udp('0a', '10.0.0.10', '2a', '10.0.0.20')),
      ask('over the bridge that is not there', 'y', broadcastUdp('0e', '10.0.0.10', 4000, 5000)),
    ],
  },
]
