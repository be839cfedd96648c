import type { HostIntent, TunnelType } from '../../../src/model/intent.ts'
import type { Arrival, Departure, Frame } from './frame.ts'

/** What joins hosts: where tunnels end, and which bridges hang on the same physical network. */
export interface Underlay {
  readonly hosts: readonly HostIntent[]
}

/** One hop between two hosts. */
export interface Hop {
  readonly host: string
  readonly arrival: Arrival
  readonly frame: Frame
}

/** Where a frame that leaves a host comes in next; nowhere for one that reached a port. */
export function carry(underlay: Underlay, from: string, way: Departure, frame: Frame): readonly Hop[] {
  const self = underlay.hosts.find((h) => h.host === from)
  if (way.by === 'port' || self === undefined) return []
  if (way.by === 'tunnel') return tunnelHop(underlay, self, way, frame)
  const physical = Object.entries(self.bridge_mappings).find(([, bridge]) => bridge === way.bridge)?.[0]
  const { vlan: _, ...untagged } = frame
  const onWire: Frame = way.vlan === undefined ? untagged : { ...untagged, vlan: way.vlan }
  return underlay.hosts.flatMap((other): Hop[] => {
    const bridge = physical === undefined ? undefined : other.bridge_mappings[physical]
    return other.host === from || bridge === undefined ? [] : [{ host: other.host, arrival: { by: 'provider', bridge }, frame: onWire }]
  })
}

function tunnelHop(
  underlay: Underlay,
  self: HostIntent,
  way: { type: TunnelType | 'erspan'; key: number; to: string },
  frame: Frame,
): Hop[] {
  const other = underlay.hosts.find((h) => h.tunnel_ip === way.to)
  if (other === undefined || self.tunnel_ip === undefined || way.type === 'erspan') return []
  return [{ host: other.host, arrival: { by: 'tunnel', type: way.type, key: way.key, from: self.tunnel_ip }, frame }]
}

/** A host's switch as the walk sees it. */
export type Forward = (host: string, arrival: Arrival, frame: Frame) => readonly Departure[] | Promise<readonly Departure[]>

/** More hops than any frame may take: a frame that goes round is a fault, not an endless walk. */
const MOST_HOPS = 1000

/**
 * Follows a frame from a port of `host` through all hosts. The answer: the ports it reaches, sorted; the sender's own name with `answered` after
 * it when the switch itself answered.
 */
export async function deliver(
  underlay: Underlay,
  forward: Forward,
  host: string,
  arrival: Arrival,
  frame: Frame,
): Promise<readonly string[]> {
  const reached: string[] = []
  const queue: Hop[] = [{ host, arrival, frame }]
  for (let hops = 0; queue.length > 0; hops++) {
    const hop = queue.shift()
    if (hop === undefined) break
    if (hops > MOST_HOPS) throw new Error('the frame goes round in circles')
    for (const way of await forward(hop.host, hop.arrival, hop.frame)) {
      if (way.by === 'port') reached.push(hop.arrival.by === 'port' && hop.arrival.port === way.port ? `${way.port} answered` : way.port)
      else queue.push(...carry(underlay, hop.host, way, { ...hop.frame, ...way.as }))
    }
  }
  return reached.sort()
}
