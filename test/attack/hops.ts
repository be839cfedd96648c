import { BROADCAST_MAC, type Layer3, u16 } from '../../src/lab/frame-build.ts'
import type { Cast, Forge } from './attack.ts'
import { VLAN } from './field.ts'
import { framed, PROTOCOL, udpSegment } from './forge.ts'

/** Tags that a guest puts on its own frames. */

/** Type of the tag (802.1Q, 802.1ad, and what came before it) and number, the outer one first. */
type Tag = readonly [type: 0x8100 | 0x88a8 | 0x9100, vlan: number]

const Q = 0x8100
const AD = 0x88a8

export const TAGS: Readonly<Record<string, readonly Tag[]>> = {
  'the tag of red': [[Q, VLAN.red]],
  'the tag of green': [[Q, VLAN.green]],
  'a tag that nobody has': [[Q, 199]],
  'no number, a priority alone': [[Q, 0xe000]],
  'number 0': [[Q, 0]],
  'number 4095': [[Q, 4095]],
  'green within red': [
    [Q, VLAN.red],
    [Q, VLAN.green],
  ],
  'green within number 0': [
    [Q, 0],
    [Q, VLAN.green],
  ],
  'number 0 within green': [
    [Q, VLAN.green],
    [Q, 0],
  ],
  'the tag of green by 802.1ad': [[AD, VLAN.green]],
  'number 0 by 802.1ad': [[AD, 0]],
  'green within red by 802.1ad': [
    [AD, VLAN.red],
    [Q, VLAN.green],
  ],
  'three tags': [
    [Q, VLAN.green],
    [Q, VLAN.green],
    [Q, VLAN.green],
  ],
}

/** Of a type that only an old switch takes for a tag: to others an ethertype like any. */
export const OLD_TAG: readonly Tag[] = [[0x9100, VLAN.green]]

export function tagged(tags: readonly Tag[], how: 'to one' | 'to all'): Forge {
  return (c) => {
    const frame = greeting(c, how)
    return [Buffer.concat([frame.subarray(0, 12), ...tags.flatMap(([type, vlan]) => [u16(type), u16(vlan)]), frame.subarray(12)])]
  }
}

export function greeting({ me, to, mark, sport }: Cast, how: 'to one' | 'to all'): Buffer {
  const l3: Layer3 = { src: me.v4, dst: how === 'to all' ? '255.255.255.255' : to.v4 }
  return framed({ src: me.mac, dst: how === 'to all' ? BROADCAST_MAC : to.mac }, l3, PROTOCOL.udp, {
    body: udpSegment(l3, { src: sport, dst: 9 }, mark),
  })
}

/** A frame in a VXLAN packet, as a host's tunnel sends it. */
export function vxlan(l2: { src: string; dst: string }, l3: Layer3, vni: number, inner: Buffer): Buffer {
  const head = Buffer.from([8, 0, 0, 0, (vni >>> 16) & 0xff, (vni >>> 8) & 0xff, vni & 0xff, 0])
  return framed(l2, l3, PROTOCOL.udp, { body: udpSegment(l3, { src: 45_678, dst: 4789 }, Buffer.concat([head, inner])) })
}

/** Something to say to a machine that is no guest. */
export function shout(l2: { src: string; dst: string }, l3: Layer3, mark: Buffer, port = 4001): Buffer {
  return framed(l2, l3, PROTOCOL.udp, { body: udpSegment(l3, { src: 4000, dst: port }, mark) })
}
