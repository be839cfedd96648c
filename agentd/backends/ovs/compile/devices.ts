import { parseIp } from '../../../../src/lib/ip.ts'
import type { AttachIntent, Plug } from '../../../../src/model/intent.ts'
import { makeKey } from '../../../../src/model/key.ts'
import type { Facts, Item } from '../../backend.ts'
import { linkItem } from './links.ts'
import { BRIDGE, type CarrierType, patchPorts, tunnelPort } from './names.ts'
import type { Numbers } from './numbers.ts'
import { type ColumnValue, ownership, rowItem } from './rows.ts'
import { type HostView, tunnelTypes } from './view.ts'

/** What rows depend on besides intents. */
export interface DeviceContext {
  readonly host: string
  readonly installation: string
  readonly facts: Facts
  readonly numbers: Numbers
}

/** The bridge, and the ports that lead to other hosts: each only while a network of this host, or copies, need it. */
export function carrierItems(view: HostView, context: DeviceContext): readonly Item[] {
  const bridges = new Set<string>()
  for (const { carrier } of view.networks) if (carrier.by === 'provider') bridges.add(carrier.bridge)
  const local = view.offer?.tunnel_ip
  return [
    bridgeItem(context),
    ...(local === undefined ? [] : tunnelTypes(view).flatMap((type) => tunnelItems(type, local, context))),
    ...[...bridges].sort().flatMap((bridge) => patchItems(bridge, context)),
  ]
}

/**
 * `secure`: without flows nothing passes. The protocols are those of our OpenFlow client and of `ovs-ofctl` at hand. No spanning tree: it would hold every port
 * shut for seconds, and one that never hears its neighbours may stay shut.
 */
export function bridgeItem({ host, installation, facts }: Pick<DeviceContext, 'host' | 'installation' | 'facts'>): Item {
  return rowItem([makeKey('host', '', host)], {
    table: 'Bridge',
    name: BRIDGE,
    columns: {
      datapath_type: facts.datapath_type,
      fail_mode: 'secure',
      protocols: ['OpenFlow10', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15'],
      stp_enable: false,
      rstp_enable: false,
      external_ids: ownership(installation, `bridge ${BRIDGE}`),
    },
  })
}

function tunnelItems(type: CarrierType, local: string, context: DeviceContext): Item[] {
  const name = tunnelPort(type)
  // The kernel keeps GRE over IPv6 apart; the userspace datapath takes either name.
  const six = (type === 'gre' || type === 'erspan') && parseIp(local)?.family === 6
  return portItems(context, makeKey('host', '', context.host), BRIDGE, name, `tunnel ${type}`, {
    type: six ? `ip6${type}` : type,
    options: { key: 'flow', local_ip: local, remote_ip: 'flow', ...(type === 'erspan' ? { erspan_ver: '1' } : {}) },
    ofport_request: context.numbers.of('ofport', name),
  })
}

/** The end on the provider bridge is the one thing we write on a bridge that is not ours; OVS numbers it. */
function patchItems(bridge: string, context: DeviceContext): Item[] {
  const { int, ext } = patchPorts(bridge)
  const host = makeKey('host', '', context.host)
  return [
    ...portItems(context, host, BRIDGE, int, `patch ${bridge}`, {
      type: 'patch',
      options: { peer: ext },
      ofport_request: context.numbers.of('ofport', int),
    }),
    ...portItems(context, host, bridge, ext, `patch ${bridge}`, { type: 'patch', options: { peer: int } }),
  ]
}

/** The interface of a port whose YAML asks the agent to make it; nothing for one that others plug. */
export function plugItems(attach: AttachIntent, context: DeviceContext): readonly Item[] {
  const { plug } = attach
  if (plug.by === 'external') return []
  const rows = portItems(context, attach.port, BRIDGE, plug.interface, attach.port, {
    type: plug.type === 'internal' ? 'internal' : '',
    ofport_request: context.numbers.of('ofport', plug.interface),
    // A device that was moved into a namespace is out of OVS's reach; there `link` sets the MTU.
    ...(plug.type === 'internal' && plug.netns !== undefined ? {} : { mtu_request: attach.mtu }),
    external_ids: {
      ...ownership(context.installation, attach.port),
      'attached-mac': attach.mac,
      'iface-id': attach.id,
    },
  })
  return [...rows, linkOf(attach, plug)]
}

function linkOf(attach: AttachIntent, plug: Plug & { by: 'agent' }): Item {
  return linkItem([attach.port], {
    name: plug.interface,
    type: plug.type,
    guest: plug.type === 'internal' ? plug.interface : (plug.guest_interface ?? 'eth0'),
    ...(plug.netns === undefined ? {} : { netns: plug.netns }),
    mac: attach.mac,
    mtu: attach.mtu,
    up: true,
    addresses: [...attach.addresses].sort(),
  })
}

/** A port with its one interface of the same name. */
function portItems(
  { installation }: DeviceContext,
  owner: AttachIntent['port'],
  bridge: string,
  name: string,
  purpose: string,
  columns: Readonly<Record<string, ColumnValue>>,
): Item[] {
  const external_ids = ownership(installation, purpose)
  return [
    rowItem([owner], { table: 'Port', name, parent: bridge, columns: { external_ids } }),
    rowItem([owner], { table: 'Interface', name, parent: name, columns: { external_ids, ...columns } }),
  ]
}
