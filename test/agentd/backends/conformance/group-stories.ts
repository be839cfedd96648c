import type { GroupRule } from '../../../../src/model/intent.ts'
import { advertise, arpRequest, broadcastUdp, icmp6, solicit, tcp, udp } from './frames.ts'
import type { Ask, Story } from './stories.ts'
import { addressesKey, groupKey, linkLocalOf, macOf, type PortInput, type WorldInput } from './world.ts'

function ask(says: string, from: Ask['from'], frame: Ask['frame'], ...reaches: string[]): Ask {
  return { says, from, frame, reaches }
}

const ANYTHING_OUT: readonly GroupRule[] = [
  { direction: 'egress', ethertype: 'IPv4' },
  { direction: 'egress', ethertype: 'IPv6' },
]

function fromMembersOf(name: string, more: Partial<GroupRule> = {}): readonly GroupRule[] {
  return (['IPv4', 'IPv6'] as const).map((ethertype) => ({ direction: 'ingress', ethertype, remote: { group: groupKey(name) }, ...more }))
}

function into(protocol: number, first: number, last: number, more: Partial<GroupRule> = {}): GroupRule {
  return { direction: 'ingress', ethertype: 'IPv4', protocol, ports: { first, last }, ...more }
}

/** a, b on h1 and c on h2 are of the default group; w on h1 and d on h2 are web servers; o on h3 is under no rules. */
const PORTS: Readonly<Record<string, PortInput>> = {
  a: { network: 'blue', host: 'h1', tag: '0a', ips: ['10.0.0.10', '2001:db8:5::a'], groups: ['default'] },
  b: { network: 'blue', host: 'h1', tag: '0b', ips: ['10.0.0.11', '2001:db8:5::b'], groups: ['default'] },
  c: { network: 'blue', host: 'h2', tag: '0c', ips: ['10.0.0.12', '2001:db8:5::c'], groups: ['default'] },
  w: { network: 'blue', host: 'h1', tag: '1a', ips: ['10.0.0.20', '2001:db8:5::20'], groups: ['web'] },
  d: { network: 'blue', host: 'h2', tag: '1d', ips: ['10.0.0.21', '2001:db8:5::21'], groups: ['ssh', 'web'] },
  o: { network: 'blue', host: 'h3', tag: '2a', ips: ['10.0.0.30', '2001:db8:5::30'], security: false },
}

const WORLD: WorldInput = {
  hosts: { h1: { tunnel_ip: '192.0.2.1' }, h2: { tunnel_ip: '192.0.2.2' }, h3: { tunnel_ip: '192.0.2.3' } },
  networks: { blue: { type: 'vxlan', id: 100 } },
  ports: PORTS,
  groups: {
    default: { rules: [...ANYTHING_OUT, ...fromMembersOf('default')] },
    web: { rules: [...ANYTHING_OUT, into(6, 80, 443), into(17, 5000, 5003, { remote: { prefix: '10.0.0.8/29' } })] },
    ssh: {
      rules: [
        into(6, 22, 22, { remote: { addresses: addressesKey('offices') } }),
        { direction: 'ingress', ethertype: 'IPv4', protocol: 1, icmp: { type: 8 } },
      ],
    },
  },
  addresses: { offices: ['10.0.0.10/32', '10.0.0.30/32', '2001:db8:5::/64'] },
}

const WEB_PORT = { sport: 40_000 } as const

function toPort(frame: Ask['frame'], dport: number): Ask['frame'] {
  return { ...frame, body: { ...frame.body, dport } as Ask['frame']['body'] }
}

function echo(from: string, src: string, to: string, dst: string, kind = 8): Ask['frame'] {
  return { src: macOf(from), dst: macOf(to), body: { type: 'icmp', src, dst, kind } }
}

const answer = (frame: Ask['frame']): Ask['frame'] => ({ ...frame, connection: 'answer' })
const known = (frame: Ask['frame']): Ask['frame'] => ({ ...frame, connection: 'known' })

export const GROUP_STORIES: readonly Story[] = [
  {
    name: 'security groups: the default group',
    world: WORLD,
    asks: [
      ask('members hear each other, on the host', 'a', udp('0a', '10.0.0.10', '0b', '10.0.0.11'), 'b'),
      ask('and from another host', 'a', tcp('0a', '10.0.0.10', '0c', '10.0.0.12'), 'c'),
      ask('over IPv6', 'c', tcp('0c', '2001:db8:5::c', '0a', '2001:db8:5::a'), 'a'),
      ask('ping', 'a', echo('0a', '10.0.0.10', '0c', '10.0.0.12'), 'c'),
      ask('nobody else is heard', 'w', udp('1a', '10.0.0.20', '0a', '10.0.0.10')),
      ask('nor from a port under no rules', 'o', tcp('2a', '10.0.0.30', '0a', '10.0.0.10')),
      ask('an answer to a member is', 'w', answer(udp('1a', '10.0.0.20', '0a', '10.0.0.10')), 'a'),
      ask('what goes on from outside is not', 'w', known(udp('1a', '10.0.0.20', '0a', '10.0.0.10'))),
      ask('anybody may be spoken to', 'a', tcp('0a', '10.0.0.10', '2a', '10.0.0.30'), 'o'),
      ask('a member without a rule for link-local: no one is it', 'a', tcp('0a', linkLocalOf('0a'), '0b', linkLocalOf('0b'))),
      ask('ARP needs no rule', 'o', { ...arpRequest('2a', '10.0.0.30', '10.0.0.10', macOf('0a')) }, 'a'),
      ask('nor does a solicitation of a stranger', 'o', solicit('2a', '2001:db8:5::30', '2001:db8:5::a', null), 'a'),
      ask('nor an advertisement', 'o', advertise('2a', '2001:db8:5::30', '2001:db8:5::30'), 'a', 'b', 'c', 'd', 'w'),
      ask('nor a router advertisement of one who may send it', 'o', icmp6('2a', linkLocalOf('2a'), 134), 'a', 'b', 'c', 'd', 'w'),
      ask('an MLD report is for nobody but those without rules', 'a', icmp6('0a', linkLocalOf('0a'), 143), 'o'),
      ask('a DHCP request goes out', 'a', broadcastUdp('0a', '0.0.0.0', 68, 67), 'o'),
      ask('a DHCP answer comes in', 'o', broadcastUdp('2a', '10.0.0.30', 67, 68), 'a', 'b', 'c', 'd', 'w'),
      ask('broadcast reaches whom a rule lets hear it', 'a', broadcastUdp('0a', '10.0.0.10', 4000, 5100), 'b', 'c', 'o'),
    ],
  },
  {
    name: 'security groups: ports, prefixes, address groups, several groups',
    world: WORLD,
    asks: [
      ask('the lower end of the range', 'o', toPort(tcp('2a', '10.0.0.30', '1a', '10.0.0.20'), 80), 'w'),
      ask('inside', 'o', toPort(tcp('2a', '10.0.0.30', '1a', '10.0.0.20'), 256), 'w'),
      ask('the upper end', 'o', toPort(tcp('2a', '10.0.0.30', '1a', '10.0.0.20'), 443), 'w'),
      ask('below', 'o', toPort(tcp('2a', '10.0.0.30', '1a', '10.0.0.20'), 79)),
      ask('above', 'o', toPort(tcp('2a', '10.0.0.30', '1a', '10.0.0.20'), 444)),
      ask('another protocol', 'o', udp('2a', '10.0.0.30', '1a', '10.0.0.20', WEB_PORT.sport, 80)),
      ask('the other IP version', 'o', toPort(tcp('2a', '2001:db8:5::30', '1a', '2001:db8:5::20'), 80)),
      ask('from the prefix', 'a', udp('0a', '10.0.0.10', '1a', '10.0.0.20', 4000, 5003), 'w'),
      ask('outside of it', 'o', udp('2a', '10.0.0.30', '1a', '10.0.0.20', 4000, 5003)),
      ask('a rule of the second group', 'a', toPort(tcp('0a', '10.0.0.10', '1d', '10.0.0.21'), 22), 'd'),
      ask('for whom the address group does not name', 'b', toPort(tcp('0b', '10.0.0.11', '1d', '10.0.0.21'), 22)),
      ask('and one of the first', 'b', toPort(tcp('0b', '10.0.0.11', '1d', '10.0.0.21'), 80), 'd'),
      ask('its ports hold for its protocol only', 'a', toPort(tcp('0a', '2001:db8:5::a', '1d', '2001:db8:5::21'), 22)),
      ask('ICMP by type', 'b', echo('0b', '10.0.0.11', '1d', '10.0.0.21'), 'd'),
      ask('another type', 'b', echo('0b', '10.0.0.11', '1d', '10.0.0.21', 13)),
      ask('not for a port without that group', 'b', echo('0b', '10.0.0.11', '1a', '10.0.0.20')),
    ],
  },
  {
    name: 'security groups: stateless, none, and egress rules',
    world: {
      ...WORLD,
      ports: {
        ...PORTS,
        a: { ...(PORTS['a'] as PortInput), groups: ['plain'] },
        b: { ...(PORTS['b'] as PortInput), groups: [] },
        c: { ...(PORTS['c'] as PortInput), groups: ['narrow'] },
      },
      groups: {
        ...WORLD.groups,
        plain: { stateful: false, rules: [{ direction: 'egress', ethertype: 'IPv4', protocol: 6 }, into(17, 53, 53)] },
        narrow: {
          rules: [
            {
              direction: 'egress',
              ethertype: 'IPv4',
              protocol: 17,
              ports: { first: 5000, last: 5000 },
              remote: { group: groupKey('web') },
            },
            { direction: 'egress', ethertype: 'IPv4', protocol: 6, remote: { prefix: '10.0.0.16/28' } },
          ],
        },
      },
    },
    asks: [
      ask('out by rule, no connection is kept', 'a', tcp('0a', '10.0.0.10', '2a', '10.0.0.30'), 'o'),
      ask('its answer has no rule', 'o', answer(tcp('2a', '10.0.0.30', '0a', '10.0.0.10'))),
      ask('in by rule', 'o', udp('2a', '10.0.0.30', '0a', '10.0.0.10', 4000, 53), 'a'),
      ask('and no way back', 'a', answer(udp('0a', '10.0.0.10', '2a', '10.0.0.30', 53, 4000))),
      ask('no groups: nothing out', 'b', tcp('0b', '10.0.0.11', '2a', '10.0.0.30')),
      ask('nothing in', 'o', tcp('2a', '10.0.0.30', '0b', '10.0.0.11')),
      ask('not even answers', 'o', known(tcp('2a', '10.0.0.30', '0b', '10.0.0.11'))),
      ask('it is on its network all the same', 'b', arpRequest('0b', '10.0.0.11', '10.0.0.77'), 'a', 'c', 'd', 'o', 'w'),
      ask('to members of a group, that port', 'c', udp('0c', '10.0.0.12', '1a', '10.0.0.20', 4000, 5000), 'w'),
      ask('another port', 'c', udp('0c', '10.0.0.12', '1a', '10.0.0.20', 4000, 5001)),
      ask('to one who is no member', 'c', udp('0c', '10.0.0.12', '2a', '10.0.0.30', 4000, 5000)),
      ask('to a prefix', 'c', tcp('0c', '10.0.0.12', '1a', '10.0.0.20'), 'w'),
      ask('outside of it', 'c', tcp('0c', '10.0.0.12', '0a', '10.0.0.10')),
      ask('an answer goes out without a rule', 'c', answer(tcp('0c', '10.0.0.12', '2a', '10.0.0.30')), 'o'),
    ],
  },
]
