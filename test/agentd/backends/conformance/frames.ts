import type { Frame, Icmp6 } from '../../../../agentd/backends/fake/frame.ts'
import { formatIp, parseIp } from '../../../../src/lib/ip.ts'
import { macOf } from './world.ts'

export const BROADCAST = 'ff:ff:ff:ff:ff:ff'
const ZERO = '00:00:00:00:00:00'

/** Frames as a guest would send them; `from` and `to` are tags of ports (`0a` is 02:00:00:00:00:0a). */
export function arpRequest(from: string, spa: string, tpa: string, dst: string = BROADCAST): Frame {
  return { src: macOf(from), dst, body: { type: 'arp', op: 1, sha: macOf(from), spa, tha: ZERO, tpa } }
}

export function arpReply(from: string, spa: string, to: string, tpa: string): Frame {
  return { src: macOf(from), dst: macOf(to), body: { type: 'arp', op: 2, sha: macOf(from), spa, tha: macOf(to), tpa } }
}

export function udp(from: string, src: string, to: string, dst: string, sport = 4000, dport = 5000): Frame {
  return { src: macOf(from), dst: macOf(to), body: { type: 'udp', src, dst, sport, dport } }
}

export function tcp(from: string, src: string, to: string, dst: string): Frame {
  return { src: macOf(from), dst: macOf(to), body: { type: 'tcp', src, dst, sport: 40000, dport: 80 } }
}

/** Echo request. */
export function ping(from: string, src: string, to: string, dst: string): Frame {
  const body: Frame['body'] = dst.includes(':') ? { type: 'icmp6', src, dst, kind: 128 } : { type: 'icmp', src, dst, kind: 8 }
  return { src: macOf(from), dst: macOf(to), body }
}

export function broadcastUdp(from: string, src: string, sport: number, dport: number): Frame {
  return { src: macOf(from), dst: BROADCAST, body: { type: 'udp', src, dst: '255.255.255.255', sport, dport } }
}

/** A multicast neighbour solicitation. `sll` null: without the option. */
export function solicit(from: string, src: string, target: string, sll: string | null = macOf(from)): Frame {
  const group = solicitedNode(target)
  const body: Icmp6 = { type: 'icmp6', src, dst: group.ip, kind: 135, target, ...(sll === null ? {} : { sll }) }
  return { src: macOf(from), dst: group.mac, body }
}

export function advertise(from: string, src: string, target: string, tll: string | null = macOf(from)): Frame {
  const body: Icmp6 = { type: 'icmp6', src, dst: 'ff02::1', kind: 136, target, ...(tll === null ? {} : { tll }) }
  return { src: macOf(from), dst: '33:33:00:00:00:01', body }
}

export function icmp6(from: string, src: string, kind: number): Frame {
  return { src: macOf(from), dst: '33:33:00:00:00:16', body: { type: 'icmp6', src, dst: 'ff02::16', kind } }
}

export function ether(from: string, dst: string, ethertype: number): Frame {
  return { src: macOf(from), dst, body: { type: 'other', ethertype } }
}

/** RFC 4291, 2.7.1. */
function solicitedNode(target: string): { readonly ip: string; readonly mac: string } {
  const low = (parseIp(target)?.value ?? 0n) & 0xffffffn
  const digits = low.toString(16).padStart(6, '0')
  return {
    ip: formatIp(6, (0xff02n << 112n) | (1n << 32n) | (0xffn << 24n) | low),
    mac: `33:33:ff:${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4)}`,
  }
}
