import type { Link } from '../compile/links.ts'

/** A network device as `ip` shows it. */
export interface Device {
  readonly mac: string
  readonly mtu: number
  readonly up: boolean
  /** With prefix length. */
  readonly addresses: readonly string[]
}

/** The devices of one network namespace, by name. */
export type Devices = ReadonlyMap<string, Device>

/** On the host: makes the pair whose one end goes on the bridge. OVS makes internal devices itself. */
export function makeLines(link: Link, host: Devices): string[] {
  if (link.type === 'internal') return []
  const peer = link.netns === undefined ? `name ${link.guest}` : `name ${link.guest} netns ${link.netns}`
  const there = host.get(link.name)
  return [
    ...(there === undefined ? [`link add ${link.name} type veth peer ${peer}`] : []),
    ...(there?.up === true ? [] : [`link set ${link.name} up`]),
  ]
}

/** On the host: an internal device that OVS has made goes to where the guest is. */
export function moveLines(link: Link, host: Devices): string[] {
  return link.type === 'internal' && link.netns !== undefined && host.has(link.name) ? [`link set ${link.name} netns ${link.netns}`] : []
}

/** Where the guest is: its MAC, MTU and addresses. Only what differs: on a link that stands, nothing. */
export function settleLines(link: Link, guests: Devices): string[] {
  const now = guests.get(link.guest)
  if (now === undefined) return []
  const dev = link.guest
  return [
    ...(now.mac === link.mac ? [] : [`link set ${dev} address ${link.mac}`]),
    ...(now.mtu === link.mtu ? [] : [`link set ${dev} mtu ${link.mtu}`]),
    ...(now.up ? [] : [`link set ${dev} up`]),
    ...link.addresses.filter((a) => !now.addresses.includes(a)).map((a) => `address add ${a} dev ${dev}${a.includes(':') ? ' nodad' : ''}`),
  ]
}

/** On the host: removes the pair. OVS removes its internal devices itself. */
export function removeLines(link: Link, host: Devices): string[] {
  return link.type === 'veth' && host.has(link.name) ? [`link del ${link.name}`] : []
}

/** The link as it is, in the form the compiler gives it; undefined when a device of it is not there. */
export function linkAsFound(link: Link, guests: Devices, host: Devices): Link | undefined {
  const now = guests.get(link.guest)
  const end = link.type === 'veth' ? host.get(link.name) : now
  if (now === undefined || end === undefined) return undefined
  return { ...link, mac: now.mac, mtu: now.mtu, up: now.up && end.up, addresses: link.addresses.filter((a) => now.addresses.includes(a)) }
}
