import { existsSync } from 'node:fs'
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
