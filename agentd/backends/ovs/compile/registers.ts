import { type FieldName, fieldOf } from '../flow/fields.ts'
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

export type RegisterName = 'network' | 'origin' | 'nd_ask' | 'flood_part' | 'sender' | 'target'

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
    says: 'Where the frame goes: bits 28 to 31 the kind (1 local port, 2 provider network, 4 VXLAN, 5 Geneve, 6 GRE), bits 0 to 27 a number of this host (pools `port`, `peer`). 0: not known.',
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
      const apart = a.field !== b.field || a.start + a.bits <= b.start || b.start + b.bits <= a.start
      if (!apart) throw new Error(`registers ${a.name} and ${b.name} overlap in ${a.field}`)
    }
  }
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

/** Named conditions as a match on the fields that hold them; several in one field are joined. */
export function registerMatch(wanted: RegisterMatch): Match {
  const out: Partial<Record<FieldName, FieldValue>> = {}
  for (const [name, want] of Object.entries(wanted) as [RegisterName, number | { value: number; mask: number }][]) {
    const r = BY_NAME[name]
    const shift = BigInt(r.start)
    const all = (1n << BigInt(r.bits)) - 1n
    const value = BigInt(typeof want === 'number' ? want : want.value) << shift
    const mask = (typeof want === 'number' ? all : BigInt(want.mask)) << shift
    if (value >> shift > all || (value & ~mask) !== 0n) throw new Error(`register ${name} cannot hold ${value >> shift}`)
    const before = out[r.field]
    out[r.field] = before === undefined ? { value, mask } : { value: before.value | value, mask: (before.mask ?? 0n) | mask }
  }
  for (const [field, { value, mask }] of Object.entries(out) as [FieldName, FieldValue][]) {
    if (mask === (1n << BigInt(fieldOf(field).bits)) - 1n) out[field] = { value }
  }
  return out
}

/** Names of the registers that hold a bit of the mask; bits without a name are told as such. */
export function registersIn(field: FieldName, mask: bigint): readonly string[] {
  const out: string[] = []
  let named = 0n
  for (const r of REGISTERS) {
    if (r.field !== field) continue
    const mine = ((1n << BigInt(r.bits)) - 1n) << BigInt(r.start)
    if ((mine & mask) !== 0n) out.push(r.name)
    named |= mine
  }
  if ((mask & ~named) !== 0n) out.push(`bits of ${field} without a name`)
  return out
}

/** Values of `origin`. */
export const ORIGIN = { local: 1, tunnel: 2, provider: 3 } as const

/** Kinds of `target` and `sender`. Tunnels share bit 2 of the kind, so that one mask matches them all. */
export const TARGET = { port: 1, provider: 2, vxlan: 4, geneve: 5, gre: 6 } as const
export const ANY_TUNNEL: { readonly value: number; readonly mask: number } = { value: 0x4000_0000, mask: 0xc000_0000 }

/** A target as 32 bits. */
export function target(kind: keyof typeof TARGET, number: number): number {
  if (number < 0 || number > 0x0fff_ffff) throw new Error(`target number ${number} does not fit`)
  return TARGET[kind] * 0x1000_0000 + number
}

/** Values of `flood_part`. Chunks count from 0. */
export function floodPart(set: 'all' | 'unknown', side: 'local' | 'remote', chunk: number): number {
  if (chunk < 0 || chunk > 0x3fff) throw new Error(`flood chunk ${chunk} does not fit`)
  return (set === 'unknown' ? 0x8000 : 0) + (side === 'remote' ? 0x4000 : 0) + chunk
}
