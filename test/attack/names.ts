import type { Layer3 } from '../../src/lab/frame-build.ts'
import type { Volley } from './attack.ts'
import { ALLOWED, type Arena, FORBIDDEN, type Guest, guest, type Place, type Role, UPLINK, VLAN } from './field.ts'
import { framed, type Ports, PROTOCOL, udpSegment } from './forge.ts'

/** Somebody whom no guard holds back, and a port with rules. */
export interface Pair {
  readonly arena: Arena
  readonly place: Place
  readonly me: Pick<Guest, 'mac' | 'v4' | 'v6'>
  readonly role: Role
}

const STRANGER = { mac: 'fa:16:3e:77:77:77', v4: '10.20.0.77', v6: 'fd00:20::77' }

export const PAIRS: readonly Pair[] = [
  ...(['blue', 'red'] as const).flatMap((arena) =>
    (['shut-near', 'shut-far'] as const).map((role): Pair => ({ arena, place: `${arena}-free`, me: guest(arena, 'free'), role })),
  ),
  { arena: 'red', place: 'physnet1', me: STRANGER, role: 'shut-near' },
]

/** What the stranger sends, or what it sends in the name of the port. Ports of the datagram: `from` of who it says it is. */
export function says(
  { arena, place, me, role }: Pair,
  family: 'v4' | 'v6',
  as: 'itself' | 'the port',
  ports: Ports,
): (mark: Buffer) => Buffer {
  const to = guest(arena, role)
  const l3: Layer3 = as === 'itself' ? { src: me[family], dst: to[family] } : { src: to[family], dst: me[family] }
  return (mark) => {
    const frame = framed({ src: me.mac, dst: to.mac }, l3, PROTOCOL.udp, { body: udpSegment(l3, ports, mark) })
    return place === 'physnet1' ? tag(frame, VLAN.red) : frame
  }
}

/** What the port says to the stranger of its own accord. */
export function own({ arena, me, role }: Pair, family: 'v4' | 'v6', ports: Ports): (mark: Buffer) => Buffer {
  const from = guest(arena, role)
  const l3: Layer3 = { src: from[family], dst: me[family] }
  return (mark) => framed({ src: from.mac, dst: me.mac }, l3, PROTOCOL.udp, { body: udpSegment(l3, ports, mark) })
}

export function tag(frame: Buffer, ...vlans: readonly number[]): Buffer {
  const tags = vlans.map((vlan) => Buffer.from([0x81, 0, vlan >> 8, vlan & 255]))
  return Buffer.concat([frame.subarray(0, 12), ...tags, frame.subarray(12)])
}

/** Where a frame to the port is seen on its way, the port itself aside. */
export function onTheWay({ arena, place, role }: Pair): readonly Place[] {
  return place !== 'physnet1' && role.endsWith('-far') ? [UPLINK[arena]] : []
}

export const eachPair = (volley: Volley, todo: (volley: Volley, pair: Pair, family: 'v4' | 'v6') => void): void => {
  for (const pair of PAIRS) for (const family of ['v4', 'v6'] as const) todo(volley, pair, family)
}

/** To the port that rules let in, and back. */
export const QUESTION: Ports = { src: FORBIDDEN, dst: ALLOWED.udp }
export const ANSWER: Ports = { src: ALLOWED.udp, dst: FORBIDDEN }
