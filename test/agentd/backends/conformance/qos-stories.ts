import { arpRequest, broadcastUdp, tcp, udp } from './frames.ts'
import type { Story } from './stories.ts'
import type { PortInput } from './world.ts'

/** Rates that no frame of a story reaches. */
const WIDE = { rate: 1_000_000_000, burst: 1_000_000_000 }
export const QOS: readonly NonNullable<PortInput['qos']>[] = [
  { egress: { bits: WIDE } },
  { ingress: { packets: WIDE } },
  { dscp_mark: 26 },
  { dscp_mark: 0, egress: { bits: WIDE, packets: WIDE }, ingress: { bits: WIDE, packets: WIDE } },
  { egress: { packets: WIDE }, ingress: { bits: WIDE } },
]

/** Limits and marks change nothing of who hears whom. a, b on h1 and c on h2 are under all there is, o on h1 under nothing. */
export const QOS_STORIES: readonly Story[] = [
  {
    name: 'QoS: limits and marks in both directions',
    world: {
      hosts: { h1: { tunnel_ip: '192.0.2.1' }, h2: { tunnel_ip: '192.0.2.2' }, h3: { tunnel_ip: '192.0.2.3' } },
      networks: { blue: { type: 'vxlan', id: 100 } },
      ports: {
        a: { network: 'blue', host: 'h1', tag: '0a', ips: ['10.0.0.10', '2001:db8:5::a'], ...qos(3) },
        b: { network: 'blue', host: 'h1', tag: '0b', ips: ['10.0.0.11'], security: false, ...qos(3) },
        c: { network: 'blue', host: 'h2', tag: '0c', ips: ['10.0.0.12'], groups: ['any'], ...qos(4) },
        o: { network: 'blue', host: 'h1', tag: '2a', ips: ['10.0.0.30'] },
      },
      groups: {
        any: {
          rules: [
            { direction: 'egress', ethertype: 'IPv4' },
            { direction: 'ingress', ethertype: 'IPv4' },
          ],
        },
      },
    },
    asks: [
      { says: 'on a host', from: 'a', frame: tcp('0a', '10.0.0.10', '0b', '10.0.0.11'), reaches: ['b'] },
      {
        says: 'through a tunnel, and security groups',
        from: 'a',
        frame: udp('0a', '10.0.0.10', '0c', '10.0.0.12', 4000, 53),
        reaches: ['c'],
      },
      { says: 'from a tunnel', from: 'c', frame: udp('0c', '10.0.0.12', '0a', '10.0.0.10', 4000, 53), reaches: ['a'] },
      { says: 'a copy for each', from: 'o', frame: broadcastUdp('2a', '10.0.0.30', 4000, 5000), reaches: ['a', 'b', 'c'] },
      { says: 'and from one of them', from: 'b', frame: broadcastUdp('0b', '10.0.0.11', 4000, 5000), reaches: ['a', 'c', 'o'] },
      { says: 'no IP, no mark', from: 'a', frame: arpRequest('0a', '10.0.0.10', '10.0.0.77'), reaches: ['b', 'c', 'o'] },
      {
        says: 'who claims what is not his is dropped all the same',
        from: 'a',
        frame: tcp('0a', '10.0.0.99', '0b', '10.0.0.11'),
        reaches: [],
      },
    ],
  },
]

function qos(n: number): Pick<PortInput, 'qos'> {
  const policy = QOS[n]
  return policy === undefined ? {} : { qos: policy }
}
