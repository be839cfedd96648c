import { existsSync } from 'node:fs'
import { run } from './exec.ts'
import type { Device, Devices } from './links.ts'

interface IpAddress {
  readonly ifname?: string
  readonly address?: string
  readonly mtu?: number
  readonly flags?: readonly string[]
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[]
}

/** Every device of a namespace (undefined: the one this process is in), by one run of `ip`. Throws `ExecError`. */
export async function devicesIn(netns: string | undefined): Promise<Devices> {
  const shown = JSON.parse(await run('ip', [...within(netns), '-j', 'address', 'show'])) as readonly IpAddress[]
  return new Map(shown.map((found): [string, Device] => [found.ifname ?? '', deviceOf(found)]))
}

function deviceOf(found: IpAddress): Device {
  return {
    mac: found.address ?? '',
    mtu: found.mtu ?? 0,
    up: found.flags?.includes('UP') ?? false,
    addresses: (found.addr_info ?? []).map((a) => `${a.local ?? ''}/${a.prefixlen ?? 0}`),
  }
}

/** Many commands by one run of `ip`: all are tried, whatever becomes of the others. Throws `ExecError` with the words for those that failed. */
export async function ipBatch(netns: string | undefined, lines: readonly string[]): Promise<void> {
  await run('ip', [...within(netns), '-force', '-batch', '-'], `${lines.join('\n')}\n`)
}

/** Without this TCP never connects through the userspace datapath, while ping works. */
export async function transmitOffloadOff(netns: string | undefined, devices: readonly string[]): Promise<void> {
  const each = 'for d in "$@"; do ethtool -K "$d" tx off > /dev/null || exit 1; done'
  const shell = ['sh', '-c', each, 'sh', ...devices]
  if (netns === undefined) await run(shell[0] ?? '', shell.slice(1))
  else await run('ip', ['netns', 'exec', netns, ...shell])
}

/** Namespaces as `ip netns` names them. */
export function netnsExists(netns: string): boolean {
  return existsSync(`/run/netns/${netns}`)
}

function within(netns: string | undefined): readonly string[] {
  return netns === undefined ? [] : ['-n', netns]
}
