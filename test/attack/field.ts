import { setTimeout as sleep } from 'node:timers/promises'
import { BROADCAST_MAC, udp } from '../../src/lab/frame-build.ts'
import { type FramePlace, FrameSocket } from '../../src/lab/frames.ts'
import { formatIp } from '../../src/lib/ip.ts'
import { linkLocalAddress } from '../../src/lib/mac.ts'
import { port, Rig } from '../faults/rig.ts'

/** Two networks of one shape, `blue` in tunnels and `red` in VLAN 120. Beside them `green` in VLAN 121. */
export const ARENAS = ['blue', 'red'] as const
export type Arena = (typeof ARENAS)[number]
export const VLAN = { red: 120, green: 121 } as const
export const VNI = 500

/** Number in the addresses, host, group; without a group no port security. */
const ROLES = {
  /** Its group lets all out. */
  evil: [11, 'h1', 'loud'],
  /** May send TCP to 7001 and UDP to 5000, nothing else. */
  tight: [12, 'h1', 'tight'],
  /** As `evil`, but its connections are not kept. */
  plain: [13, 'h1', 'plain'],
  /** Under no guard and no rules: all that it sends leaves it. */
  free: [14, 'h1', undefined],
  'open-near': [21, 'h1', undefined],
  'open-far': [22, 'h2', undefined],
  /** Hears TCP to 7001 and UDP to 5000, nothing else. */
  'shut-near': [31, 'h1', 'shut'],
  'shut-far': [32, 'h2', 'shut'],
} as const
export type Role = keyof typeof ROLES
const ROLE_NAMES = Object.keys(ROLES) as Role[]

export interface Guest {
  readonly mac: string
  readonly v4: string
  readonly v6: string
  /** Its IPv6 link-local address. */
  readonly link: string
}

const NUMBER: Readonly<Record<Arena | 'green', number>> = { blue: 10, red: 20, green: 30 }

export function guest(arena: Arena | 'green', role: Role): Guest {
  return guestAt(NUMBER[arena], ROLES[role][0])
}

/** The router that the subnets name, a machine of the physical network. */
export function gateway(arena: Arena): Guest {
  return { ...guestAt(NUMBER[arena], 99), v4: `10.${NUMBER[arena]}.0.1`, v6: `fd00:${NUMBER[arena]}::1` }
}

export const EVERYONE: Pick<Guest, 'mac'> = { mac: BROADCAST_MAC }

function guestAt(network: number, n: number): Guest {
  const mac = `fa:16:3e:00:${network}:${n}`
  return { mac, v4: `10.${network}.0.${n}`, v6: `fd00:${network}::${n}`, link: formatIp(6, linkLocalAddress(mac)) }
}

/** What the rules of `tight` and `shut` are about; on FORBIDDEN nobody may be spoken to. */
export const ALLOWED = { tcp: 7001, udp: 5000 } as const
export const FORBIDDEN = 7002

const NET = `installation: attack
network_vlan_ranges:
  - { physical_network: physnet1, from: 100, to: 199 }
hosts:
  h1: { tunnel_ip: 192.0.2.1, bridge_mappings: { physnet1: br-ex } }
  h2: { tunnel_ip: 192.0.2.2, bridge_mappings: { physnet1: br-ex } }
networks:
  blue: { network_type: vxlan, segmentation_id: ${VNI} }
  red: { network_type: vlan, physical_network: physnet1, segmentation_id: ${VLAN.red} }
  green: { network_type: vlan, physical_network: physnet1, segmentation_id: ${VLAN.green} }
`

const GROUPS = `security_groups:
  loud:
    rules: [{ direction: ingress, protocol: udp, port_range_min: 6000, port_range_max: 6000 }]
  plain: { stateful: false }
  tight:
    default_rules: false
    rules:
${allow('egress')}
  shut:
    rules:
${allow('ingress')}
`

function allow(direction: 'egress' | 'ingress'): string {
  const rule = (ethertype: string, protocol: string, n: number): string =>
    `      - { direction: ${direction}, ethertype: ${ethertype}, protocol: ${protocol}, port_range_min: ${n}, port_range_max: ${n} }`
  return ['IPv4', 'IPv6'].flatMap((e) => [rule(e, 'tcp', ALLOWED.tcp), rule(e, 'udp', ALLOWED.udp)]).join('\n')
}

function portLine(network: Arena | 'green', role: Role): string {
  const [, host, group] = ROLES[role]
  const { mac, v4, v6 } = guest(network, role)
  const security = group === undefined ? 'port_security_enabled: false' : `security_groups: [${group}]`
  const ips = `fixed_ips: [{ ip_address: ${v4} }, { ip_address: '${v6}' }]`
  return `  ${network}-${role}: { network: ${network}, host: ${host}, mac_address: '${mac}', ${ips}, ${security} }\n`
}

function repository(): string {
  const subnets = Object.entries(NUMBER).map(
    ([name, n]) => `  ${name}-v4: { network: ${name}, cidr: 10.${n}.0.0/24 }\n  ${name}-v6: { network: ${name}, cidr: 'fd00:${n}::/64' }\n`,
  )
  const ports = ARENAS.flatMap((arena) => ROLE_NAMES.map((role) => portLine(arena, role)))
  const green = (['open-near', 'open-far'] as const).map((role) => portLine('green', role))
  return `subnets:\n${subnets.join('')}ports:\n${[...ports, ...green].join('')}`
}

/** `blue-evil`, …; `green-open-near`; the uplinks of h1 `tunnels` and `physnet1`; interfaces of h1 itself. */
export type Place = string

const PLACES: readonly (readonly [Place, FramePlace])[] = [
  ...ARENAS.flatMap((arena) => ROLE_NAMES.map((role) => at(`${arena}-${role}`))),
  ...['green-open-near', 'green-open-far'].map(at),
  ['tunnels', { host: 'h1', cable: 'underlay' }],
  ['physnet1', { host: 'h1', cable: 'physnet1' }],
  ['h1 br-int', { host: 'h1', interface: 'br-int' }],
  ['h1 br-und', { host: 'h1', interface: 'br-und' }],
  ['h2 br-und', { host: 'h2', interface: 'br-und' }],
]

function at(name: string): readonly [Place, FramePlace] {
  return [name, { port: port(name) }]
}

/** Where frames of a network leave h1. */
export const UPLINK: Readonly<Record<Arena, Place>> = { blue: 'tunnels', red: 'physnet1' }

/** A mark that a frame carries wherever it goes, inside a tunnel, behind a tag or turned into an answer. */
const MARK = /<<\d{4}>>/g
const SETTLE_MS = 400

/** Hosts, guests and raw sockets at all places; what was sent is found by its mark. */
export class Field {
  readonly rig: Rig
  readonly #sockets: ReadonlyMap<Place, FrameSocket>
  #marks = 0

  private constructor(rig: Rig, sockets: ReadonlyMap<Place, FrameSocket>) {
    this.rig = rig
    this.#sockets = sockets
  }

  static async up(): Promise<Field> {
    const rig = await Rig.up({
      'netloom.yaml': NET.slice(0, NET.indexOf('hosts:')),
      'net.yaml': NET.slice(NET.indexOf('hosts:')),
      'groups.yaml': GROUPS,
      'ports.yaml': repository(),
    })
    const sockets = new Map<Place, FrameSocket>()
    const field = new Field(rig, sockets)
    try {
      await rig.on('h1', 'ip', 'link', 'set', 'br-int', 'up')
      for (const [name, place] of PLACES) sockets.set(name, await FrameSocket.open(rig.lab, place))
      await field.#warmUp()
    } catch (error) {
      await field.close()
      throw error
    }
    return field
  }

  get places(): readonly Place[] {
    return [...this.#sockets.keys()]
  }

  /** The first frames into a tunnel are lost: the switch has to ask who has the other end. */
  async #warmUp(): Promise<void> {
    for (const arena of ARENAS) {
      const [from, to] = [guest(arena, 'free'), guest(arena, 'open-far')]
      const mark = this.mark()
      const greeting = udp({ src: from.mac, dst: to.mac }, { src: from.v4, dst: to.v4 }, { src: 9, dst: 9 }, mark)
      await this.rig.seen(`frames of ${arena} get to the other host`, async () => {
        this.send(`${arena}-free`, [greeting])
        await sleep(50)
        return this.sightings().count(mark, `${arena}-open-far`) > 0
      })
    }
  }

  mark(): Buffer {
    return Buffer.from(`<<${String(++this.#marks).padStart(4, '0')}>>`)
  }

  send(place: Place, frames: readonly Buffer[]): void {
    const socket = this.#sockets.get(place)
    if (socket === undefined) throw new Error(`nobody is at ${place}`)
    for (const frame of frames) socket.send(frame)
  }

  /** Waits until what is to arrive has arrived, or for `timeoutMs`; and then a moment for what is not to arrive. */
  async settle(hasArrived: () => boolean, timeoutMs = 4000): Promise<void> {
    const end = performance.now() + timeoutMs
    while (!hasArrived() && performance.now() < end) await sleep(50)
    await sleep(SETTLE_MS)
  }

  /** Where frames with each mark came in, and how many. */
  sightings(): Sightings {
    const out = new Map<string, Map<Place, number>>()
    for (const [place, socket] of this.#sockets) {
      for (const { bytes } of socket.received()) {
        for (const mark of new Set(bytes.toString('latin1').match(MARK))) {
          const places = out.get(mark) ?? new Map<Place, number>()
          out.set(mark, places.set(place, (places.get(place) ?? 0) + 1))
        }
      }
    }
    return {
      count: (mark, place) => out.get(mark.toString())?.get(place) ?? 0,
      places: (mark) => [...(out.get(mark.toString())?.keys() ?? [])],
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sockets.values()].map((s) => s.close()))
    await this.rig.close()
  }
}

export interface Sightings {
  count(mark: Buffer, place: Place): number
  places(mark: Buffer): readonly Place[]
}
