import { DAEMONS, startDaemons } from './daemons.ts'
import { linkName, wireNetns } from './names.ts'
import { quote } from './run.ts'
import { DEFAULT_MTU, type LabHost, type LabSpec } from './spec.ts'

/** How the hosts of a lab are joined. */
export type WireKind = 'bridge' | 'ovs'

/** The folder of the wire's own Open vSwitch, where the kernel has no bridge. No host can have this name: a host's folder never starts with a dot. */
export function wireDir(labDir: string): string {
  return `${labDir}/.wire`
}

/** One cable from a host to the wire. */
export interface Cable {
  /** Bridge of the wire. */
  readonly segment: string
  /** The cable's end inside the wire's namespace; unique there. */
  readonly wireEnd: string
  /** The cable's end inside the host's namespace. */
  readonly hostEnd: string
  /** The host's bridge that holds it. */
  readonly bridge: string
  readonly mtu: number
}

/** The host's NIC towards the other hosts' tunnel endpoints. */
export const UNDERLAY_NIC = 'nic0'

/** The cables a host needs: its NIC, and one into each physical network. Sorted by segment. */
export function cablesOf(spec: LabSpec, host: LabHost, underlayBridge: string): Cable[] {
  const cables: Cable[] = []
  if (host.tunnel_ip !== undefined) {
    cables.push({
      segment: 'underlay',
      wireEnd: linkName('u-', host.name),
      hostEnd: UNDERLAY_NIC,
      bridge: underlayBridge,
      mtu: spec.underlay_mtu ?? DEFAULT_MTU,
    })
  }
  for (const [physical, bridge] of Object.entries(host.bridge_mappings ?? {}).sort()) {
    cables.push({
      segment: segmentName(physical),
      wireEnd: linkName('p-', `${physical}/${host.name}`),
      hostEnd: linkName('phy-', physical),
      bridge,
      mtu: spec.provider_mtu ?? DEFAULT_MTU,
    })
  }
  return cables
}

export function segmentName(physical: string): string {
  return linkName('net-', physical)
}

/** Every segment that some host is on, sorted. */
export function segmentsOf(spec: LabSpec): string[] {
  const names = new Set<string>()
  for (const host of spec.hosts) {
    if (host.tunnel_ip !== undefined) names.add('underlay')
    for (const physical of Object.keys(host.bridge_mappings ?? {})) names.add(segmentName(physical))
  }
  return [...names].sort()
}

/** Makes the wire's namespace, without segments. */
export function makeWire(tag: string, kind: WireKind, labDir: string): string[] {
  const netns = wireNetns(tag)
  return [
    `ip netns add ${netns}`,
    // The wire only carries frames: no address of its own, no router solicitation, no MLD report.
    `nsenter --net=/run/netns/${netns} sh -c 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'`,
    ...(kind === 'ovs' ? startDaemons({ dir: wireDir(labDir), netns, systemId: 'wire', bridges: [] }) : []),
  ]
}

/** Adds segments to the wire, those that are not there yet: one outlives the last host that was on it. A Linux bridge without snooping, or a learning bridge of Open vSwitch: both pass VLAN tags and multicast as a dumb switch does. */
export function addSegments(tag: string, kind: WireKind, labDir: string, segments: readonly string[]): string[] {
  if (segments.length === 0) return []
  const netns = wireNetns(tag)
  if (kind === 'bridge') {
    return segments.flatMap((s) => [
      `ip -n ${netns} link show ${s} > /dev/null 2>&1 || ip -n ${netns} link add ${s} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      `ip -n ${netns} link set ${s} up`,
    ])
  }
  const words = segments.flatMap((s) => [
    '--',
    '--may-exist',
    'add-br',
    s,
    '--',
    'set',
    'Bridge',
    s,
    'datapath_type=netdev',
    'fail_mode=standalone',
  ])
  return [`${DAEMONS.vsctl(wireDir(labDir))} ${words.slice(1).map(quote).join(' ')}`]
}

/** Lays one cable between the wire and a host whose namespace exists; the host's end is left down and unplugged. */
export function layCable(tag: string, kind: WireKind, labDir: string, cable: Cable, hostNetns: string): string[] {
  const netns = wireNetns(tag)
  const plug =
    kind === 'bridge'
      ? `ip -n ${netns} link set ${cable.wireEnd} master ${cable.segment} up`
      : `ip -n ${netns} link set ${cable.wireEnd} up; ${DAEMONS.vsctl(wireDir(labDir))} add-port ${cable.segment} ${cable.wireEnd}`
  return [
    `ip -n ${netns} link add ${cable.wireEnd} mtu ${cable.mtu} type veth peer name ${cable.hostEnd} mtu ${cable.mtu} netns ${hostNetns}`,
    plug,
  ]
}

/** Takes a cable out again; the host's end goes with it. */
export function pullCable(tag: string, kind: WireKind, labDir: string, cable: Cable): string[] {
  return [
    ...(kind === 'ovs' ? [`${DAEMONS.vsctl(wireDir(labDir))} --if-exists del-port ${cable.segment} ${cable.wireEnd}`] : []),
    `ip -n ${wireNetns(tag)} link del ${cable.wireEnd}`,
  ]
}
