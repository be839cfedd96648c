import { compareText } from '../../src/model/key.ts'
import { type HeldPort, type HeldSegment, type Holds, MAX_HELD } from '../../src/wire/messages.ts'
import type { TargetSet } from './feed-core.ts'

/**
 * What a complete set says of addresses, MACs and segments (a tap service has one, too), in order of identity. Ports that other hosts attach are theirs to tell; those that no host attaches are told
 * by everybody who knows them.
 */
export function holdsOf(host: string, set: Pick<TargetSet, 'revision' | 'digest' | 'scopes'>): Holds {
  const ports: HeldPort[] = []
  const segments: HeldSegment[] = []
  for (const { intents } of set.scopes.values()) {
    for (const intent of intents.values()) {
      if (intent.type === 'location' && (intent.host ?? host) === host) {
        ports.push({ port: intent.port, network: intent.network, mac: intent.mac, ips: intent.ips })
      } else if (intent.type === 'segment') {
        const { network, network_type, physical_network: physical, segmentation_id: id } = intent
        segments.push({
          network,
          network_type,
          ...(physical === undefined ? {} : { physical_network: physical }),
          ...(id === undefined ? {} : { segmentation_id: id }),
        })
      } else if (intent.type === 'tap' && intent.tunnel !== undefined) {
        segments.push({ network: intent.tap, network_type: intent.tunnel.type, segmentation_id: intent.tunnel.key })
      }
    }
  }
  ports.sort((a, b) => compareText(a.port, b.port))
  segments.sort((a, b) => compareText(a.network, b.network))
  return { revision: set.revision, digest: set.digest, ports: ports.slice(0, MAX_HELD), segments: segments.slice(0, MAX_HELD) }
}
