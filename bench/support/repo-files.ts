import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface RepoSize {
  readonly ports: number
  readonly perFile: number
}

/** Ports that share a network in generated repos. */
const PER_NETWORK = 1000
/** Hosts that generated ports are spread over; none of them has an agent. */
const HOSTS = 300

/**
 * Writes a repo of `ports` ports in files of `perFile`, on one VXLAN network per thousand ports and 300 hosts. Every second port has its address written, the
 * others get theirs chosen. The ports of a network are in a security group that lets its own members in: a host knows the members of the groups that it has ports of, so a group of
 * all ports of a repo would make each host know them all.
 */
export function writeRepo(dir: string, size: RepoSize): void {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'netloom.yaml'), 'installation: bench\n')
  const hosts = Array.from({ length: HOSTS }, (_, n) => `  far-${n}: { tunnel_ip: 192.0.${2 + (n >> 8)}.${n & 255} }\n`)
  writeFileSync(join(dir, 'hosts.yaml'), `hosts:\n${hosts.join('')}`)
  const networks = Math.ceil(size.ports / PER_NETWORK)
  const each = (text: (n: number) => string): string => Array.from({ length: networks }, (_, n) => text(n)).join('')
  const nets = each((n) => `  net-${n}: { network_type: vxlan }\n`)
  const subnets = each((n) => `  sub-${n}: { network: net-${n}, cidr: 10.${n}.0.0/16 }\n`)
  const groups = each((n) => `  ${networkGroup(n)}: { rules: [{ direction: ingress, remote_group: ${networkGroup(n)} }] }\n`)
  writeFileSync(join(dir, 'networks.yaml'), `project: shop\nnetworks:\n${nets}subnets:\n${subnets}security_groups:\n${groups}`)
  for (let first = 0; first < size.ports; first += size.perFile) {
    const lines = Array.from({ length: Math.min(size.perFile, size.ports - first) }, (_, i) => portLine(first + i))
    writeFileSync(join(dir, portFile(first / size.perFile)), `project: shop\nports:\n${lines.join('')}`)
  }
}

export function portFile(n: number): string {
  return `ports-${String(n).padStart(4, '0')}.yaml`
}

/** The security group of a network's ports. */
export function networkGroup(network: number): string {
  return `group-${network}`
}

export function portLine(n: number): string {
  const inNet = n % PER_NETWORK
  const address = `10.${Math.floor(n / PER_NETWORK)}.${100 + (inNet >> 8)}.${inNet & 255}`
  const ips = n % 2 === 0 ? `, fixed_ips: [{ ip_address: ${address} }]` : ''
  const network = Math.floor(n / PER_NETWORK)
  return `  web-${n}: { network: net-${network}, security_groups: [${networkGroup(network)}], host: far-${n % HOSTS}${ips} }\n`
}
