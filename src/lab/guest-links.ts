import { DAEMONS } from './daemons.ts'
import { guestNetns, hostDir, hostNetns, tapName } from './names.ts'
import { quote } from './run.ts'
import { GUEST_INTERFACE, INTEGRATION_BRIDGE, type LabGuest } from './spec.ts'

/** The shell script that makes guests of one host and plugs them into br-int as a hypervisor plugs a VM. */
export function makeGuests(tag: string, host: string, guests: readonly LabGuest[]): string[] {
  if (guests.length === 0) return []
  const plugged = guests.filter((g) => g.plug !== 'agent')
  return [
    ...guests.flatMap((g) => makeNetns(guestNetns(tag, g.port))),
    ...batch(
      hostNetns(tag, host),
      plugged.flatMap((g) => [
        `link add ${tapName(g)} mtu ${g.mtu} type veth peer name ${GUEST_INTERFACE} address ${g.mac} mtu ${g.mtu} netns ${guestNetns(tag, g.port)}`,
        `link set ${tapName(g)} up`,
      ]),
    ),
    ...plugged.flatMap((g) => configure(guestNetns(tag, g.port), g)),
    ...plug(tag, host, plugged),
  ]
}

/**
 * The shell script that unplugs and removes guests of one host. Rows go first, so that vswitchd never sees a port without a device; then the
 * links, because the kernel removes a namespace's links some time after its name, and the guest may come back at once.
 */
export function removeGuests(tag: string, host: string, guests: readonly LabGuest[]): string[] {
  if (guests.length === 0) return []
  const taps = guests.filter((g) => g.plug !== 'agent').map(tapName)
  const words = taps.flatMap((tap) => ['--', '--if-exists', 'del-port', INTEGRATION_BRIDGE, tap])
  return [
    ...(words.length === 0 ? [] : [`${DAEMONS.vsctl(hostDir(tag, host))} ${words.slice(1).join(' ')}`]),
    ...batch(
      hostNetns(tag, host),
      taps.map((tap) => `link del ${tap}`),
    ),
    ...guests.map((g) => `ip netns del ${guestNetns(tag, g.port)}`),
  ]
}

/** Duplicate address detection would keep every IPv6 address unusable for a second, and a lab's addresses are assigned, not chosen. */
function makeNetns(netns: string): string[] {
  return [
    `ip netns add ${netns}`,
    `nsenter --net=/run/netns/${netns} sh -c 'echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad; echo 0 > /proc/sys/net/ipv6/conf/all/accept_dad'`,
  ]
}

/**
 * Addresses, routes, offloads. The userspace datapath neither fills in checksums nor segments what a veth hands over unfinished: with
 * offloads on, ping works and TCP never connects.
 */
function configure(netns: string, guest: LabGuest): string[] {
  const dev = GUEST_INTERFACE
  return [
    `nsenter --net=/run/netns/${netns} ethtool -K ${dev} tx off sg off tso off gso off gro off > /dev/null`,
    ...batch(netns, [
      'link set lo up',
      ...guest.addresses.map((a) => `addr add ${a} dev ${dev}${a.includes(':') ? ' nodad' : ''}`),
      `link set ${dev} up`,
      ...(guest.gateways ?? []).map((g) => `route add default via ${g} dev ${dev}`),
    ]),
  ]
}

function plug(tag: string, host: string, guests: readonly LabGuest[]): string[] {
  const words = guests.flatMap((g) => [
    ...['--', '--may-exist', 'add-port', INTEGRATION_BRIDGE, tapName(g), '--', 'set', 'Interface', tapName(g)],
    ...[`external_ids:iface-id=${g.id}`, `external_ids:attached-mac="${g.mac}"`, 'external_ids:iface-status=active'],
  ])
  return words.length === 0 ? [] : [`${DAEMONS.vsctl(hostDir(tag, host))} ${words.slice(1).map(quote).join(' ')}`]
}

/** Many `ip` commands in one process; any error ends the script. */
function batch(netns: string, commands: readonly string[]): string[] {
  return commands.length === 0 ? [] : [`ip -n ${netns} -batch - <<'END'`, ...commands, 'END']
}
