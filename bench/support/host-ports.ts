import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Key, makeKey } from '../../src/model/key.ts'
import type { Switch } from '../../test/agentd/backends/ovs/switch.ts'

const run = promisify(execFile)

/** Ports of host h1 on one VXLAN network, plugged by others (`iface-id`), as a hypervisor's virtual machines are. */
export function hostPortLine(n: number): string {
  return `  port-${n}: { id: ${hostPortId(n)}, network: blue, host: h1 }\n`
}

export function hostPortId(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
}

export function hostPortKey(n: number): Key {
  return makeKey('port', 'shop', `port-${n}`)
}

/** The file of host h1 with ports 0 to `count`-1. */
export function hostFile(count: number): string {
  const head = 'project: shop\nhosts:\n  h1: { tunnel_ip: 198.51.100.1 }\nnetworks:\n  blue: { network_type: vxlan }\n'
  const ports = Array.from({ length: count }, (_, n) => hostPortLine(n)).join('')
  return `${head}subnets:\n  blue-v4: { network: blue, cidr: 172.16.0.0/16 }\n  blue-v6: { network: blue, cidr: 'fd00:16::/64' }\nports:\n${ports}`
}

/** Arguments of one ovs-vsctl transaction that plugs ports 0 to `count`-1 as devices `v<n>`. */
export function plugArguments(count: number, type?: 'internal'): readonly string[] {
  return Array.from({ length: count }, (_, n) => {
    const what = type === undefined ? [] : [`type=${type}`]
    return ['--', 'add-port', 'br-int', `v${n}`, '--', 'set', 'Interface', `v${n}`, ...what, `external_ids:iface-id=${hostPortId(n)}`]
  }).flat()
}

/** Sets the internal devices of `plugArguments` up: the port of one that is down waits. */
export async function setUp(sw: Switch, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, n) => `link set v${n} up\n`)
  await ipBatch(sw, lines)
}

/** Makes veth pairs `v<n>`–`w<n>`, up, where the switch sees them. They go away with its namespace. */
export async function makeVeths(sw: Switch, count: number): Promise<void> {
  const line = (n: number): string => `link add v${n} type veth peer name w${n}\nlink set v${n} up\nlink set w${n} up\n`
  await ipBatch(
    sw,
    Array.from({ length: count }, (_, n) => line(n)),
  )
}

async function ipBatch(sw: Switch, lines: readonly string[]): Promise<void> {
  const file = join(sw.rundir, 'links')
  writeFileSync(file, lines.join(''))
  await run('nsenter', ['-t', String(sw.pid()), '-n', 'ip', '-batch', file])
}
