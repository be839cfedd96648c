import { badValue } from './error.ts'

/** Bits with names, written `+trk-new` (set and clear) or `trk|new` (all others clear). */
type Names = readonly (string | undefined)[]

/** ct_state, by bit: ovs-fields(7). */
export const CT_STATE: Names = ['new', 'est', 'rel', 'rpl', 'inv', 'trk', 'snat', 'dnat']
export const TCP_FLAGS: Names = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr', 'ns', '[200]', '[400]', '[800]']

/** `+trk-new` for the bits of `mask`, lowest bit first; bits without a name in hex at the end. */
export function formatSignedFlags(names: Names, value: bigint, mask: bigint): string {
  let out = ''
  for (const [bit, name] of names.entries()) {
    const flag = 1n << BigInt(bit)
    if ((mask & flag) !== 0n) out += `${(value & flag) !== 0n ? '+' : '-'}${name}`
  }
  return out
}

/** The set bits joined by `|`; `0` when there are none. */
export function formatFlags(names: Names, value: bigint): string {
  const set = names.filter((_, bit) => (value & (1n << BigInt(bit))) !== 0n)
  return set.length === 0 ? '0' : set.join('|')
}

/** Both written forms, and plain numbers `value[/mask]`. `mask` absent: all bits count. */
export function parseFlags(names: Names, text: string): { value: bigint; mask?: bigint } {
  if (/^[+-]/.test(text)) return parseSigned(names, text)
  if (/^\d/.test(text)) {
    const [value = '', mask] = text.split('/')
    return mask === undefined ? { value: BigInt(value) } : { value: BigInt(value), mask: BigInt(mask) }
  }
  let value = 0n
  for (const name of text.split('|')) value |= flagOf(names, name)
  return { value }
}

function parseSigned(names: Names, text: string): { value: bigint; mask: bigint } {
  let value = 0n
  let mask = 0n
  for (const part of text.match(/[+-][^+-]*/g) ?? []) {
    const flag = flagOf(names, part.slice(1))
    if ((mask & flag) !== 0n) throw badValue(text, `${part.slice(1)} twice`)
    mask |= flag
    if (part.startsWith('+')) value |= flag
  }
  return { value, mask }
}

function flagOf(names: Names, name: string): bigint {
  const bit = names.indexOf(name)
  if (bit < 0) throw badValue(name, `none of ${names.join(', ')}`)
  return 1n << BigInt(bit)
}
