import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import { type Cidr, formatCidr } from '../../lib/cidr.ts'
import { FAMILY_BITS, isLoopbackIp, isMulticastIp } from '../../lib/ip.ts'
import type { Finding } from '../../model/issue.ts'

/** The block itself: Neutron's `_validate_subnet` (B3.1). */
export function cidrFindings(subnet: SubnetDeclared, cidr: Cidr): Finding[] {
  const findings: Finding[] = []
  const bad = (message: string, hint: string): void => {
    findings.push({ code: 'E0211', message, at: ['cidr'], hint })
  }
  versionFinding(subnet, cidr, findings)
  const text = formatCidr(cidr)
  if (cidr.prefix === 0) bad(`cidr ${text} is the whole internet`, 'write the block that the network really has')
  else if (cidr.family === 6 && cidr.first === 0n)
    bad(`cidr ${text} starts at ::, the unspecified address`, 'write a block such as fd00:10::/64')
  else if (subnet.enable_dhcp !== false) dhcpFindings(cidr, text, bad)
  return findings
}

function versionFinding(subnet: SubnetDeclared, cidr: Cidr, findings: Finding[]): void {
  const { ip_version: version } = subnet
  if (version === undefined || version === cidr.family) return
  const known = version === 4 || version === 6
  const message = known
    ? `ip_version ${version} does not fit cidr ${formatCidr(cidr)}, which is IPv${cidr.family}`
    : `ip_version ${version} does not exist`
  findings.push({ code: 'E0212', message, at: ['ip_version'], hint: `write ip_version: ${cidr.family}, or leave it out` })
}

/** With DHCP on, the block must have room for hosts and be one that hosts can have. */
function dhcpFindings(cidr: Cidr, text: string, bad: (message: string, hint: string) => void): void {
  const longest = FAMILY_BITS[cidr.family] - 2
  const first = { family: cidr.family, value: cidr.first }
  const off = 'write a larger block, or enable_dhcp: false'
  if (cidr.prefix > longest) bad(`cidr ${text} is too small for DHCP: IPv${cidr.family} needs /${longest} or larger`, off)
  else if (isMulticastIp(first)) bad(`cidr ${text} is multicast, no address of it can be given to a host`, 'write a unicast block')
  else if (isLoopbackIp(first)) bad(`cidr ${text} is loopback, no address of it leaves a host`, 'write a unicast block')
  else if (cidr.family === 4 && cidr.first === 0n)
    bad(`cidr ${text} starts at 0.0.0.0, which is no host's address`, 'write a unicast block')
}
