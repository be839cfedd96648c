import { existsSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { canonicalIp, ipBytes, parseIp } from '../../../../src/lib/ip.ts'
import { asSet } from '../ovsdb/replica.ts'
import type { Inventory } from './observe.ts'

/**
 * The datapath for a bridge that does not exist yet: the kernel's where its module is loaded and this vswitchd speaks to it (one started with
 * `--disable-system` does not list it), else userspace.
 */
export function pickDatapath(inventory: Inventory): 'system' | 'netdev' {
  const offered = asSet(inventory.root?.row['datapath_types'])
  return offered.includes('system') && existsSync('/sys/module/openvswitch') ? 'system' : 'netdev'
}

/** IP address in canonical text → the device that has it, in this network namespace. Devices that are down or without carrier are left out. */
export function localAddresses(): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [device, infos] of Object.entries(networkInterfaces())) {
    for (const { address } of infos ?? []) {
      const ip = canonicalIp(address)
      if (ip !== undefined) out[ip] = device
    }
  }
  return out
}

/**
 * What the kernel says of these addresses, as text to be compared: whether it has them, and the flags of the device that had them. A few small files, whatever the number of
 * interfaces.
 */
export function endsState(ips: readonly string[], devices: Readonly<Record<string, string>>): string {
  if (ips.length === 0) return ''
  const four = ips.some((ip) => !ip.includes(':')) ? textOf('/proc/net/fib_trie') : ''
  const six = ips.some((ip) => ip.includes(':')) ? textOf('/proc/net/if_inet6') : ''
  return ips
    .map((ip) => {
      const has = ip.includes(':') ? six.includes(hex6(ip)) : four.includes(`|-- ${ip}\n`)
      const device = devices[ip]
      return `${ip} ${has} ${device === undefined ? '' : textOf(`/sys/class/net/${device}/flags`)}`
    })
    .join('\n')
}

/** As `/proc/net/if_inet6` writes an address. */
function hex6(ip: string): string {
  return ipBytes({ family: 6, value: parseIp(ip)?.value ?? 0n }).toString('hex')
}

/** Empty where there is no such file: a device that is gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
