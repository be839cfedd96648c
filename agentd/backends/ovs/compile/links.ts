import type { Key } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import type { LinkValue } from './values.ts'

/** A network device of the guest that the agent makes: what `ip link` and `ip address` must show. */
export interface Link {
  /** The device on the bridge. */
  readonly name: string
  /** `internal`: made by OVS, then moved. `veth`: a pair, of which `name` stays on the host. */
  readonly type: 'internal' | 'veth'
  /** What the guest has: the other end of a veth, or the internal device itself. */
  readonly guest: string
  /** Absent: the guest's device stays in the host's namespace. */
  readonly netns?: string
  readonly mac: string
  readonly mtu: number
  /** Every device of it, at both ends. */
  readonly up: boolean
  /** With prefix length; sorted. Addresses that someone else added are left alone. */
  readonly addresses: readonly string[]
}

export function linkItem(owners: readonly Key[], link: Link): Item {
  const value: LinkValue = { kind: 'link', link }
  return { key: linkKey(link.name), owners, text: linkText(link), value }
}

/** `link tap-web-1` */
function linkKey(name: string): string {
  return `link ${name}`
}

/** One line `field=value` each, sorted. */
function linkText(link: Link): string {
  const lines = [`guest=${link.guest}`, `mac=${link.mac}`, `mtu=${link.mtu}`, `type=${link.type}`, `up=${link.up ? 'yes' : 'no'}`]
  if (link.netns !== undefined) lines.push(`netns=${link.netns}`)
  for (const address of link.addresses) lines.push(`address:${address}=yes`)
  return lines.sort().join('\n')
}
