import { BROADCAST_MAC, type Layer2, type Layer3 } from '../../src/lab/frame-build.ts'
import type { Cast } from './attack.ts'
import { framed, PROTOCOL, packet, udpSegment } from './forge.ts'

/** What the lies have in common. */

export const NOBODY = 'fa:16:3e:66:66:66'
export const ALL_NODES = '33:33:00:00:00:01'
export const ZERO = '00:00:00:00:00:00'

/** The mark behind what the frame itself holds: switches carry it along, and receivers leave it alone. */
export function trailed(frame: Buffer, { mark }: Pick<Cast, 'mark'>): Buffer {
  return Buffer.concat([frame, mark])
}

export function hello(cast: Cast, l2: Partial<Layer2>, l3: Layer3): Buffer[] {
  const { me, to, mark, sport } = cast
  return [framed({ src: me.mac, dst: to.mac, ...l2 }, l3, PROTOCOL.udp, { body: udpSegment(l3, { src: sport, dst: 9 }, mark) })]
}

export function bytes6(text: string): Buffer {
  return packet({ src: text, dst: text }, 59, { body: Buffer.alloc(0) }).subarray(8, 24)
}

export const own4 = (c: Cast): Layer3 => ({ src: c.me.v4, dst: c.to.v4 })
export const own6 = (c: Cast): Layer3 => ({ src: c.me.v6, dst: c.to.v6 })

export function broadcastUdp(c: Cast): Buffer[] {
  return hello(c, { dst: BROADCAST_MAC }, { src: c.me.v4, dst: '255.255.255.255' })
}
