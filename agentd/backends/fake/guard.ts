import { prefixContains } from '../../../src/lib/cidr.ts'
import { formatIp, parseIp } from '../../../src/lib/ip.ts'
import { linkLocalAddress } from '../../../src/lib/mac.ts'
import type { AllowedAddress } from '../../../src/model/intent.ts'
import type { Frame, Icmp6 } from './frame.ts'

/** What a port with port security may send, said as rules about a frame (Neutron's OVS firewall, table 71). */
export function maySend(port: { readonly mac: string; readonly allowed: readonly AllowedAddress[] }, frame: Frame): boolean {
  const pairs = port.allowed.filter((pair) => pair.mac === frame.src)
  if (frame.src !== port.mac && pairs.length === 0) return false
  const owns = (address: string): boolean => {
    const ip = parseIp(address)
    if (ip === undefined) return false
    return address === formatIp(6, linkLocalAddress(frame.src)) || pairs.some((pair) => prefixContains(pair.prefix, ip))
  }
  const { body } = frame
  switch (body.type) {
    case 'arp':
      return body.sha === frame.src && (owns(body.spa) || (body.op === 1 && body.spa === '0.0.0.0' && owns(body.tpa)))
    case 'rarp':
      return true
    case 'udp':
      if (isDhcpServer(body.dport, body.src)) return false
      return owns(body.src) || (body.src === '0.0.0.0' && body.dst === '255.255.255.255' && body.sport === 68 && body.dport === 67)
    case 'tcp':
      return owns(body.src)
    case 'icmp':
      return body.kind !== 5 && owns(body.src)
    case 'icmp6':
      return maySendIcmp6(body, frame.src, owns)
    case 'other':
      return false
  }
}

function maySendIcmp6(body: Icmp6, mac: string, owns: (address: string) => boolean): boolean {
  if (body.kind === 134 || body.kind === 137) return false
  if (body.kind === 135) {
    // Nobody has that address, and Open vSwitch shows it of a message that it cannot read.
    if ((body.target ?? '::') === '::') return false
    if (body.sll !== undefined && body.sll !== mac) return false
    return body.src === '::' ? body.sll === undefined && owns(body.target ?? '') : owns(body.src)
  }
  if (body.kind === 136) return (body.tll === undefined || body.tll === mac) && owns(body.target ?? '') && owns(body.src)
  return owns(body.src) || (body.src === '::' && [131, 132, 133, 143].includes(body.kind))
}

/** Clients do not look at the port that an answer comes from. */
function isDhcpServer(dport: number, src: string): boolean {
  return dport === (src.includes(':') ? 546 : 68)
}
