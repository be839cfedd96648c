import { cidrContains, parseCidr } from '../../../src/lib/cidr.ts'
import { formatIp, parseIp } from '../../../src/lib/ip.ts'
import { linkLocalAddress } from '../../../src/lib/mac.ts'
import type { AllowedAddress } from '../../../src/model/intent.ts'
import type { Frame, Icmp6 } from './frame.ts'

/** What a port with port security may send, said as rules about a frame (Neutron's OVS firewall, table 71). */
export function maySend(port: { readonly mac: string; readonly allowed: readonly AllowedAddress[] }, frame: Frame): boolean {
  const pairs = port.allowed.filter((pair) => pair.mac === frame.src)
  if (frame.src !== port.mac && pairs.length === 0) return false
  const owns = (address: string): boolean =>
    address === formatIp(6, linkLocalAddress(frame.src)) || pairs.some((pair) => covers(pair.prefix, address))
  const { body } = frame
  switch (body.type) {
    case 'arp':
      return body.sha === frame.src && (owns(body.spa) || (body.op === 1 && body.spa === '0.0.0.0'))
    case 'rarp':
      return true
    case 'udp':
      if (isDhcpServer(body.sport, body.dport, body.src)) return false
      return owns(body.src) || (body.src === '0.0.0.0' && body.dst === '255.255.255.255' && body.sport === 68 && body.dport === 67)
    case 'tcp':
    case 'icmp':
      return owns(body.src)
    case 'icmp6':
      return maySendIcmp6(body, frame.src, owns)
    case 'other':
      return false
  }
}

function maySendIcmp6(body: Icmp6, mac: string, owns: (address: string) => boolean): boolean {
  if (body.kind === 134) return false
  if (body.kind === 135) {
    if (body.sll !== undefined && body.sll !== mac) return false
    return body.src === '::' ? body.sll === undefined && owns(body.target ?? '') : owns(body.src)
  }
  if (body.kind === 136) return (body.tll === undefined || body.tll === mac) && owns(body.target ?? '') && owns(body.src)
  return owns(body.src) || (body.src === '::' && [131, 132, 133, 143].includes(body.kind))
}

function isDhcpServer(sport: number, dport: number, src: string): boolean {
  return src.includes(':') ? sport === 547 && dport === 546 : sport === 67 && dport === 68
}

function covers(prefix: string, address: string): boolean {
  const cidr = parseCidr(prefix)?.cidr
  const ip = parseIp(address)
  return cidr !== undefined && ip !== undefined && cidrContains(cidr, ip)
}
