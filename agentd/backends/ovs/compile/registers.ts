import { type FieldName, fieldOf } from '../flow/fields.ts'
import { makeMatch } from '../flow/make.ts'
import type { FieldValue, Match, Subfield } from '../flow/types.ts'

/** Bits under a name. */
export interface Bits {
  readonly name: string
  readonly field: FieldName
  readonly start: number
  readonly bits: number
}

/** Some bits of a register or of `metadata`. No bit has two names, and no flow uses one without a name. */
export interface Register extends Bits {
  readonly name: RegisterName
  readonly says: string
}

export type RegisterName =
  | 'network'
  | 'origin'
  | 'nd_ask'
  | 'flood_part'
  | 'sender'
  | 'target'
  | 'owner_mac'
  | 'swap'
  | 'zone'
  | 'rules'
  | 'lladdr'
  | 'claim'
  | 'claim_v4'
  | 'owned'
  | 'alone'
  | 'snooped'
  | 'rule'
  | 'router'
  | 'hopped'
  | 'entered'
  | 'too_big'
  | 'path_mtu'
  | 'fault'
  | 'hop'

export const REGISTERS: readonly Register[] = [
  {
    name: 'network',
    field: 'metadata',
    start: 0,
    bits: 64,
    says: 'The network a frame belongs to: a number of this host (pool `network`). Set by `classify`, never 0 after it.',
  },
  {
    name: 'origin',
    field: 'reg0',
    start: 0,
    bits: 2,
    says: 'Where the frame came from: 1 a local port, 2 a tunnel, 3 a provider network.',
  },
  { name: 'nd_ask', field: 'reg0', start: 2, bits: 1, says: '1: a neighbour solicitation that the responder may answer itself.' },
  {
    name: 'flood_part',
    field: 'reg0',
    start: 16,
    bits: 16,
    says: 'Which part of a flood set is being sent: bit 15 unknown unicast, bit 14 remote hosts, bits 0 to 13 the chunk.',
  },
  {
    name: 'sender',
    field: 'reg1',
    start: 0,
    bits: 32,
    says: 'Who sent the frame, written as the target that leads back to it. A local port with port security sends under its own only.',
  },
  {
    name: 'target',
    field: 'reg2',
    start: 0,
    bits: 32,
    says: 'Where the frame goes: bits 28 to 31 the kind (1 local port, 2 provider network, 3 copies for a tap service or mirror, 4 VXLAN, 5 Geneve, 6 GRE, 8 a router, which only sends), bits 0 to 27 a number of this host (pools `port`, `copy`, `peer`, `router`). 0: not known.',
  },
  {
    name: 'owner_mac',
    field: 'xreg2',
    start: 0,
    bits: 48,
    says: 'Responder: the MAC of the port whose address is asked for. Routing: the MAC of who sent the frame.',
  },
  { name: 'swap', field: 'reg6', start: 0, bits: 32, says: 'Responder: room to exchange two addresses. Means nothing between flows.' },
  {
    name: 'owned',
    field: 'reg0',
    start: 3,
    bits: 1,
    says: 'Guard: 1: the sender may speak for the address that the frame claims, or it claims none.',
  },
  {
    name: 'alone',
    field: 'reg0',
    start: 5,
    bits: 1,
    says: 'QoS: the answer to a question about the size of a frame, which is asked for what it does to what comes behind it. Means nothing.',
  },
  {
    name: 'snooped',
    field: 'reg0',
    start: 6,
    bits: 2,
    says: 'Multicast: whom a copy is for: 0 everyone, 1 members of the group and routers, 2 routers only.',
  },
  { name: 'claim_v4', field: 'reg0', start: 4, bits: 1, says: 'Guard: 1: `claim` is an IPv4 address.' },
  {
    name: 'lladdr',
    field: 'xreg4',
    start: 0,
    bits: 48,
    says: 'Guard: the link-layer address that the frame claims inside (ARP sender, ND option), or its source where it claims none. Routing: the MAC of the router that it was sent to.',
  },
  {
    name: 'claim',
    field: 'xxreg3',
    start: 0,
    bits: 128,
    says: 'Guard: the IP address that the frame speaks for. Routing: the one that it goes to next.',
  },
  {
    name: 'zone',
    field: 'reg7',
    start: 0,
    bits: 16,
    says: 'Security groups: where the connections of the port are kept, sender or receiver (pool `zone`). 0: they are not tracked.',
  },
  {
    name: 'rules',
    field: 'reg7',
    start: 16,
    bits: 16,
    says: 'Security groups: the set of groups whose rules the port is under (pool `rules`). 0: under none.',
  },
  {
    name: 'rule',
    field: 'reg10',
    start: 0,
    bits: 32,
    says: 'Security groups: the rule that lets the frame pass (pool `rule`). Set for ports only of which that is logged.',
  },
  { name: 'router', field: 'reg3', start: 0, bits: 32, says: 'Routing: the router that the frame was sent to (pool `router`).' },
  { name: 'hopped', field: 'reg0', start: 8, bits: 1, says: 'Routing: 1: it came to the router from another router.' },
  {
    name: 'entered',
    field: 'reg11',
    start: 0,
    bits: 32,
    says: 'Routing: the network by which the packet came to the router, a number of the pool `network`: what the router says of the packet comes from its address there.',
  },
  { name: 'hop', field: 'reg0', start: 13, bits: 3, says: 'Routing: of several next hops of a route the one that the packet takes.' },
  { name: 'too_big', field: 'reg0', start: 12, bits: 1, says: 'Routing: 1: the packet is larger than what the next network carries.' },
  {
    name: 'path_mtu',
    field: 'xreg2',
    start: 48,
    bits: 16,
    says: 'Routing: how large a packet may be there, in bytes. Set where that is less than on another network of the router.',
  },
  {
    name: 'fault',
    field: 'reg0',
    start: 9,
    bits: 3,
    says: 'Routing: why the packet is not forwarded: 1 no hop is left, 2 it is too big, 3 no route, 4 nobody has the address, 5 nothing listens there.',
  },
]
checkRegisters(REGISTERS)

const BY_NAME = Object.fromEntries(REGISTERS.map((r) => [r.name, r])) as Readonly<Record<RegisterName, Register>>

/** Throws when two registers share a bit, a name is used twice, or one is wider than its field. Runs when the module loads. */
export function checkRegisters(registers: readonly Bits[]): void {
  const names = new Set<string>()
  for (const [i, a] of registers.entries()) {
    if (names.has(a.name)) throw new Error(`register ${a.name} is declared twice`)
    names.add(a.name)
    if (a.start < 0 || a.bits < 1 || a.start + a.bits > fieldOf(a.field).bits)
      throw new Error(`register ${a.name} does not fit into ${a.field}`)
    for (const b of registers.slice(i + 1)) {
      const apart = a.start + a.bits <= b.start || b.start + b.bits <= a.start
      if (a.field === b.field ? !apart : partsOf(a.field).some((part) => partsOf(b.field).includes(part))) {
        throw new Error(`registers ${a.name} and ${b.name} overlap in ${a.field}`)
      }
    }
  }
}

/** The 32-bit registers that make up a field: `xreg1` is reg2 and reg3. */
function partsOf(field: FieldName): readonly string[] {
  const [, x = '', n] = /^(x*)reg(\d+)$/.exec(field) ?? []
  if (n === undefined) return [field]
  const count = 2 ** x.length
  return Array.from({ length: count }, (_, i) => `reg${Number(n) * count + i}`)
}

export function register(name: RegisterName): Register {
  return BY_NAME[name]
}

export function isWhole(r: Register): boolean {
  return r.bits === fieldOf(r.field).bits
}

export function subfieldOf(name: RegisterName): Subfield {
  const { field, start, bits } = BY_NAME[name]
  return { field, start, bits }
}

/** What a flow demands of registers. `mask` counts within the register. */
export type RegisterMatch = { readonly [N in RegisterName]?: number | { readonly value: number; readonly mask: number } }

/** Named conditions as a match on the fields that hold them; several in one field are joined. Throws for a value that does not fit. */
export function registerMatch(wanted: RegisterMatch): Match {
  const out: { [F in FieldName]?: FieldValue } = {}
  for (const name in wanted) addRegister(out, BY_NAME[name as RegisterName], wanted[name as RegisterName] ?? 0)
  return out
}

function addRegister(
  out: { [F in FieldName]?: FieldValue },
  r: Register,
  want: number | { readonly value: number; readonly mask: number },
): void {
  const plain = typeof want === 'number'
  const value = plain ? want : want.value
  if (value >= 2 ** r.bits || (!plain && (value & ~want.mask) !== 0)) throw new Error(`register ${r.name} cannot hold ${value}`)
  if (plain && isWhole(r)) {
    out[r.field] = { value: BigInt(value) }
    return
  }
  const shift = BigInt(r.start)
  const before = out[r.field]
  const mask = (plain ? (1n << BigInt(r.bits)) - 1n : BigInt(want.mask)) << shift
  out[r.field] = { value: (before?.value ?? 0n) | (BigInt(value) << shift), mask: (before?.mask ?? 0n) | mask }
}

/** The bits of each field that belong to the named registers, also under the names of the 32-bit registers that make it up: matches are written in these. */
export function bitsOf(names: readonly string[]): ReadonlyMap<FieldName, bigint> {
  const out = new Map<FieldName, bigint>()
  const add = (field: FieldName, bits: bigint): unknown => bits !== 0n && out.set(field, (out.get(field) ?? 0n) | bits)
  for (const r of REGISTERS) {
    if (!names.includes(r.name)) continue
    const bits = ((1n << BigInt(r.bits)) - 1n) << BigInt(r.start)
    add(r.field, bits)
    const parts = partsOf(r.field)
    if (parts.length > 1)
      for (const [i, part] of parts.entries()) add(part as FieldName, (bits >> BigInt(32 * (parts.length - 1 - i))) & 0xffff_ffffn)
  }
  return out
}

/** What a register held, by the fields of a packet that the switch sent away. */
export function registerValue(name: RegisterName, fields: Match): bigint {
  const { field, start, bits } = BY_NAME[name]
  const whole = partsOf(field).reduce((before, part) => (before << 32n) | (fields[part as FieldName]?.value ?? 0n), 0n)
  return (whole >> BigInt(start)) & ((1n << BigInt(bits)) - 1n)
}

/** A condition on the low `width` bits of a wide register; other bits of it are not looked at. No value: no condition. */
export function registerBits(name: RegisterName, width: number, value: FieldValue | undefined): Match {
  if (value === undefined) return {}
  const { field, start } = BY_NAME[name]
  const mask = value.mask ?? (1n << BigInt(width)) - 1n
  return makeMatch({ [field]: { value: value.value << BigInt(start), mask: mask << BigInt(start) } })
}

/** Values of `origin`. */
export const ORIGIN = { local: 1, tunnel: 2, provider: 3 } as const

/** Kinds of `target` and `sender`. Tunnels share bit 2 of the kind, so that one mask matches them all. */
export const TARGET = { port: 1, provider: 2, copy: 3, vxlan: 4, geneve: 5, gre: 6, router: 8 } as const
/** Any local port. */
export const ANY_PORT: { readonly value: number; readonly mask: number } = { value: 0x1000_0000, mask: 0xf000_0000 }
export const ANY_TUNNEL: { readonly value: number; readonly mask: number } = { value: 0x4000_0000, mask: 0xc000_0000 }

/** Any router, as who sends. */
export const ANY_ROUTER: { readonly value: number; readonly mask: number } = { value: 0x8000_0000, mask: 0xf000_0000 }

/** A target as 32 bits. */
export function target(kind: keyof typeof TARGET, number: number): number {
  if (number < 0 || number > 0x0fff_ffff) throw new Error(`target number ${number} does not fit`)
  return TARGET[kind] * 0x1000_0000 + number
}

/** Values of `fault`. */
export const FAULT = { hop_limit: 1, too_big: 2, no_route: 3, no_neighbour: 4, no_port: 5 } as const
export type Fault = keyof typeof FAULT

/** Values of `flood_part`. Chunks count from 0. */
export function floodPart(set: 'all' | 'unknown', side: 'local' | 'remote', chunk: number): number {
  if (chunk < 0 || chunk > 0x3fff) throw new Error(`flood chunk ${chunk} does not fit`)
  return (set === 'unknown' ? 0x8000 : 0) + (side === 'remote' ? 0x4000 : 0) + chunk
}
