import type { TapMirrorDeclared } from '../../../schemas/tap_mirror.ts'
import { formatIp, isLoopbackIp, isMulticastIp, parseIp } from '../../lib/ip.ts'
import type { JsonObject } from '../../model/brand.ts'
import { hostsOf, type MirrorType } from '../../model/intent.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import { type HostSpec, TUNNEL_ADDRESS } from '../host/spec.ts'
import type { Normalised, Reference, View } from '../kind.ts'
import { packedMtu } from '../network/mtu.ts'
import type { NetworkSpec } from '../network/spec.ts'
import type { PortSpec } from '../port/spec.ts'
import type { MirrorDirection } from './spec.ts'

/** What the number of a copy is called in its header. */
export const ID_WORD: Readonly<Record<MirrorType, string>> = { gre: 'GRE key', erspanv1: 'ERSPAN session' }

/** Bits of the number; ERSPAN's session has ten. */
const LAST_ID: Readonly<Record<MirrorType, number>> = { gre: 0xffff_ffff, erspanv1: 1023 }

export function tapMirrorReferences(spec: JsonObject): readonly Reference[] {
  return [{ kind: 'port', name: (spec as TapMirrorDeclared).port, at: ['port'], access: 'own' }]
}

/** What is written, in a fixed order. */
export function writtenDirections(spec: JsonObject): readonly (readonly [MirrorDirection, number])[] {
  const { directions } = spec as TapMirrorDeclared
  return (['IN', 'OUT', 'BOTH'] as const).flatMap((d) => (directions[d] === undefined ? [] : [[d, directions[d]] as const]))
}

/** The address in canonical form, and what can be said about the numbers alone. */
export function normaliseTapMirror(spec: JsonObject): Normalised {
  const { remote_ip } = spec as TapMirrorDeclared
  const ip = parseIp(remote_ip)
  const findings = [...addressFindings(remote_ip), ...directionFindings(spec as TapMirrorDeclared)]
  return { spec: { ...spec, ...(ip === undefined ? {} : { remote_ip: formatIp(ip.family, ip.value) }) }, findings }
}

function addressFindings(text: string): Finding[] {
  const ip = parseIp(text)
  if (ip !== undefined && ip.value !== 0n && !isMulticastIp(ip) && !isLoopbackIp(ip) && text !== '255.255.255.255') return []
  const message = ip === undefined ? `remote_ip ${text} is no IP address` : `remote_ip ${text} is no address that a collector can have`
  return [{ code: 'E1115', message, at: ['remote_ip'], hint: 'write the address of the collector, such as 198.51.100.9' }]
}

function directionFindings(spec: TapMirrorDeclared): Finding[] {
  const written = writtenDirections(spec)
  const { mirror_type: type, directions } = spec
  if (written.length === 0)
    return [
      {
        code: 'E1110',
        message: 'directions names none: nothing is copied',
        at: ['directions'],
        hint: 'write directions: { IN: 100, OUT: 101 }',
      },
    ]
  if (directions.BOTH !== undefined && written.length > 1) {
    const message = 'directions has BOTH, which is IN and OUT under one number, and one of these besides'
    return [{ code: 'E1111', message, at: ['directions', 'BOTH'], hint: 'write IN and OUT, or BOTH alone' }]
  }
  const findings = written.flatMap(([direction, id]): Finding[] => {
    if (id <= LAST_ID[type]) return []
    const message = `${direction}: ${id} is no ${ID_WORD[type]}: it has ten bits`
    return [{ code: 'E1112', message, at: ['directions', direction], hint: `write a number from 0 to ${LAST_ID[type]}` }]
  })
  if (directions.IN !== undefined && directions.IN === directions.OUT) {
    const message = `IN and OUT have the same number ${directions.OUT}: the collector could not tell them apart`
    findings.push({
      code: 'E1113',
      message,
      at: ['directions', 'OUT'],
      hint: `write another, or BOTH: ${directions.OUT} where that is meant`,
    })
  }
  return findings
}

export function checkTapMirror(mirror: Declared, view: View): readonly Finding[] {
  const { port: name, remote_ip } = mirror.spec as TapMirrorDeclared
  const port = view.need<PortSpec>(view.ref('port', name))
  const hosts = hostsOf(port.spec).map((h) => view.need<HostSpec>(view.ref('host', h)))
  if (hosts.length === 0) {
    const message = `port ${port.name} is on no host: tap_mirror ${mirror.name} copies nothing`
    const related = [{ message: `port ${port.name}`, key: port.key }]
    return [
      ...ownTunnel(remote_ip, view),
      { code: 'W1118', severity: 'warning', message, at: ['port'], related, hint: `write host: … at port ${port.name}` },
    ]
  }
  const way = hosts.flatMap((host) => unreachable(host, mirror, port))
  return [...ownTunnel(remote_ip, view), ...(way.length > 0 ? way : tooLarge(mirror, port, view))]
}

/** There a GRE key is that of a network: copies would come into it. */
function ownTunnel(remoteIp: string, view: View): Finding[] {
  const [host] = view.users(view.ref(TUNNEL_ADDRESS, remoteIp), 'host')
  if (host === undefined) return []
  const message = `remote_ip ${remoteIp} is where tunnels of networks end: copies could come into one`
  const related = [{ message: 'it is the tunnel_ip of this host', key: host, at: ['tunnel_ip'] }]
  return [
    {
      code: 'E1116',
      message,
      at: ['remote_ip'],
      related,
      hint: 'give the collector another address; for a port of a network write a tap_service',
    },
  ]
}

/** Copies are sent from the host's tunnel address. */
function unreachable(host: Resource<HostSpec>, { spec }: Declared, port: Resource<PortSpec>): Finding[] {
  const { remote_ip } = spec as TapMirrorDeclared
  const { tunnel_ip } = host.spec
  const related = [{ message: `host ${host.name}`, key: host.key, ...(tunnel_ip === undefined ? {} : { at: ['tunnel_ip'] }) }]
  const fault = (message: string, hint: string): Finding[] => [{ code: 'E1117', message, at: ['remote_ip'], related, hint }]
  if (tunnel_ip === undefined)
    return fault(
      `port ${port.name} is on host ${host.name}, which has no tunnel_ip to send copies from`,
      `write tunnel_ip: … at host ${host.name}`,
    )
  if (parseIp(tunnel_ip)?.family === parseIp(remote_ip)?.family) return []
  return fault(
    `remote_ip ${remote_ip} and tunnel_ip ${tunnel_ip} of host ${host.name}, from where copies are sent, are of different IP versions`,
    'write an address of the same version',
  )
}

/** Outer headers besides IP: Ethernet 14 + GRE with key 8; Ethernet 14 + GRE with sequence number 8 + ERSPAN type II 8. */
const HEADER: Readonly<Record<MirrorType, { readonly bytes: number; readonly name: string }>> = {
  gre: { bytes: 22, name: 'GRE' },
  erspanv1: { bytes: 30, name: 'ERSPAN' },
}

function tooLarge({ name, spec }: Declared, port: Resource<PortSpec>, view: View): Finding[] {
  const { remote_ip, mirror_type } = spec as TapMirrorDeclared
  const network = view.need<NetworkSpec>(view.ref('network', port.spec.network))
  const most = packedMtu(view.site(), parseIp(remote_ip)?.family ?? 4, HEADER[mirror_type])
  if (network.spec.mtu <= most.mtu) return []
  const message = `tap_mirror ${name} loses copies of packets above ${most.mtu} bytes: network ${network.name} has MTU ${network.spec.mtu}, and ${most.arithmetic}`
  const related = [{ message: `network ${network.name}`, key: network.key }]
  const hint = `write mtu: ${most.mtu} at network ${network.name}, or live with it`
  return [{ code: 'W1119', severity: 'warning', message, at: ['mirror_type'], related, hint }]
}
