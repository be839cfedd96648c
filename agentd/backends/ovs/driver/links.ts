import type { Link } from '../compile/links.ts'
import { run } from './exec.ts'

/** Makes the pair whose one end goes on the bridge. Nothing to do when it is there, or when OVS makes the device itself. */
export async function makeLink(link: Link): Promise<void> {
  if (link.type === 'internal' || (await show(undefined, link.name)) !== undefined) return
  const peer = link.netns === undefined ? ['name', link.guest] : ['name', link.guest, 'netns', link.netns]
  await run('ip', ['link', 'add', link.name, 'type', 'veth', 'peer', ...peer])
  await run('ip', ['link', 'set', link.name, 'up'])
  // Without this TCP never connects through the userspace datapath, while ping works.
  await inNetns(link.netns, ['ethtool', '-K', link.guest, 'tx', 'off'])
}

/** Gives the guest's end its place, MAC, MTU and addresses. Says only what differs; a second call does nothing. */
export async function settleLink(link: Link): Promise<void> {
  if (link.type === 'internal' && link.netns !== undefined && (await show(link.netns, link.guest)) === undefined) {
    await run('ip', ['link', 'set', link.name, 'netns', link.netns])
  }
  const now = await show(link.netns, link.guest)
  if (now === undefined) throw new Error(`no device ${link.guest}${link.netns === undefined ? '' : ` in network namespace ${link.netns}`}`)
  const ip = (...args: readonly string[]): Promise<string> => run('ip', [...(link.netns === undefined ? [] : ['-n', link.netns]), ...args])
  if (now.mac !== link.mac) await ip('link', 'set', link.guest, 'address', link.mac)
  if (now.mtu !== link.mtu) await ip('link', 'set', link.guest, 'mtu', String(link.mtu))
  if (!now.up) await ip('link', 'set', link.guest, 'up')
  for (const address of link.addresses) {
    if (!now.addresses.includes(address))
      await ip('address', 'add', address, 'dev', link.guest, ...(address.includes(':') ? ['nodad'] : []))
  }
}

/** Removes a pair; OVS removes its internal devices itself. */
export async function removeLink(link: Link): Promise<void> {
  if (link.type === 'veth' && (await show(undefined, link.name)) !== undefined) await run('ip', ['link', 'del', link.name])
}

/** The link as it is now, in the form the compiler gives it; undefined when the guest's device is not there. */
export async function readLink(link: Link): Promise<Link | undefined> {
  const now = await show(link.netns, link.guest)
  if (now === undefined || (link.type === 'veth' && (await show(undefined, link.name)) === undefined)) return undefined
  return { ...link, mac: now.mac, mtu: now.mtu, addresses: link.addresses.filter((a) => now.addresses.includes(a)) }
}

interface Shown {
  readonly mac: string
  readonly mtu: number
  readonly up: boolean
  readonly addresses: readonly string[]
}

interface IpAddress {
  readonly address?: string
  readonly mtu?: number
  readonly flags?: readonly string[]
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[]
}

async function show(netns: string | undefined, device: string): Promise<Shown | undefined> {
  try {
    const text = await run('ip', [...(netns === undefined ? [] : ['-n', netns]), '-j', 'address', 'show', 'dev', device])
    const [found] = JSON.parse(text) as readonly IpAddress[]
    if (found === undefined) return undefined
    return {
      mac: found.address ?? '',
      mtu: found.mtu ?? 0,
      up: found.flags?.includes('UP') ?? false,
      addresses: (found.addr_info ?? []).map((a) => `${a.local ?? ''}/${a.prefixlen ?? 0}`),
    }
  } catch {
    return undefined
  }
}

async function inNetns(netns: string | undefined, argv: readonly string[]): Promise<void> {
  if (netns === undefined) await run(argv[0] ?? '', argv.slice(1))
  else await run('ip', ['netns', 'exec', netns, ...argv])
}
