import { DAEMONS, type DaemonBridge, daemonEnv, startDaemons, startVswitchd } from './daemons.ts'
import { hostDir, hostNetns, labDir } from './names.ts'
import { INTEGRATION_BRIDGE, type LabHost, type LabSpec, UNDERLAY_BRIDGE } from './spec.ts'
import { type Cable, cablesOf, layCable, type WireKind } from './wire.ts'

/**
 * The shell script that makes one host: namespace, cables, daemons, bridges, tunnel address. The wire's segments exist already. The kernel sees
 * the frames of a NIC that vswitchd reads, too, and would answer ARP for the tunnel address with the NIC's own MAC, at which no tunnel ends
 * (seen: two answers, of which the last one counts); `arp_ignore` 1 leaves the answer to the interface that has the address.
 */
export function makeHost(tag: string, wire: WireKind, spec: LabSpec, host: LabHost): string[] {
  const netns = hostNetns(tag, host.name)
  const cables = cablesOf(spec, host, UNDERLAY_BRIDGE)
  const dir = hostDir(tag, host.name)
  return [
    `mkdir -p ${dir}/netns ${dir}/all`,
    `ip netns add ${netns}`,
    `ip -n ${netns} link set lo up`,
    `nsenter --net=/run/netns/${netns} sh -c 'cd /proc/sys/net/ipv6/conf/default; echo 1 > disable_ipv6; echo 0 > accept_dad'`,
    `nsenter --net=/run/netns/${netns} sh -c 'echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore'`,
    ...cables.flatMap((c) => [...layCable(tag, wire, labDir(tag), c, netns), `ip -n ${netns} link set ${c.hostEnd} up`]),
    ...startDaemons({ dir, netns, systemId: host.name, bridges: bridgesOf(cables) }),
    ...underlayAddress(netns, host.tunnel_ip),
  ]
}

/**
 * Gives the tunnel address to the underlay bridge's own interface. The default route without a gateway makes every peer a neighbour,
 * whatever address it was given: vswitchd reads the namespace's routes and asks ARP or ND on the bridge.
 */
function underlayAddress(netns: string, tunnelIp: string | undefined): string[] {
  if (tunnelIp === undefined) return []
  const six = tunnelIp.includes(':')
  const ip = `ip -n ${netns}`
  return [
    ...(six
      ? [
          `nsenter --net=/run/netns/${netns} sh -c 'cd /proc/sys/net/ipv6/conf/${UNDERLAY_BRIDGE}; echo 0 > accept_dad; echo 0 > disable_ipv6'`,
        ]
      : []),
    `${ip} addr replace ${tunnelIp}/${six ? '64' : '24'} dev ${UNDERLAY_BRIDGE}${six ? ' nodad' : ''}`,
    `${ip} link set ${UNDERLAY_BRIDGE} up`,
    `${ip} ${six ? '-6 ' : ''}route replace default dev ${UNDERLAY_BRIDGE}`,
  ]
}

/** br-int is made as every Neutron deployment makes it before the agent starts; it drops all until the agent writes flows. */
function bridgesOf(cables: readonly Cable[]): DaemonBridge[] {
  const holders = new Map<string, string[]>()
  for (const cable of cables) holders.set(cable.bridge, [...(holders.get(cable.bridge) ?? []), cable.hostEnd])
  return [
    { name: INTEGRATION_BRIDGE, fail_mode: 'secure', ports: [] },
    ...[...holders].map(([name, ports]): DaemonBridge => ({ name, fail_mode: 'standalone', ports })),
  ]
}

/** Starts a host's vswitchd again after it was ended. The interfaces of its bridges outlive it with their addresses (seen: OVS makes taps persistent). */
export function restartVswitchd(tag: string, host: string): string[] {
  return startVswitchd(hostDir(tag, host), hostNetns(tag, host))
}

/** What a program needs to act as one of the host's own: its namespace and the way to its Open vSwitch. */
export interface HostCommand {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/**
 * `argv` as a program on the host. It sees the host's own list of network namespaces: /run/netns holds the names that the host's guests were
 * given (`netns:` in the spec), so that two labs from the same repo do not meet.
 */
export function onHost(tag: string, host: string, argv: readonly string[]): HostCommand {
  const dir = hostDir(tag, host)
  const view = `mount --rbind /run/netns "$1/all" && mount --bind "$1/netns" /run/netns && shift && exec "$@"`
  return {
    argv: [
      ...['nsenter', `--net=/run/netns/${hostNetns(tag, host)}`],
      ...['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', view, 'sh', dir, ...argv],
    ],
    env: { ...daemonEnv(dir), NETLOOM_OVSDB: DAEMONS.db(dir) },
  }
}

/** Gives namespaces their names on the host: links in the folder that `onHost` shows as /run/netns, into the one where all namespaces are. */
export function nameNetns(tag: string, host: string, names: readonly { readonly name: string; readonly netns: string }[]): string[] {
  const dir = hostDir(tag, host)
  return names.map((n) => `ln -sfn ${dir}/all/${n.netns} ${dir}/netns/${n.name}`)
}
