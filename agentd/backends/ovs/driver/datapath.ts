import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { canonicalIp } from '../../../../src/lib/ip.ts'
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
