import { badValue } from './error.ts'
import { type Field, fullMask } from './fields.ts'
import { CT_STATE, parseFlags, TCP_FLAGS } from './flags.ts'
import { parseIp4, parseIp6, parseMac, parseNumber, parsePort } from './values.ts'

/** Value and mask as written; the mask is not yet applied. */
export interface Written {
  readonly value: bigint
  readonly mask?: bigint
}

/** The value of a field in text, with `/mask` where there is one. Throws FlowError. */
export function parseFieldText(field: Field, text: string): Written {
  switch (field.style) {
    case 'hex':
    case 'dec':
      return parsePair(text, parseNumber, parseNumber)
    case 'port':
      return { value: BigInt(parsePort(text)) }
    case 'mac':
      return parsePair(text, parseMac, parseMac)
    case 'ip4':
      return parsePair(text, parseIp4, (mask) => parseIpMask(mask, 32, parseIp4))
    case 'ip6':
      return parsePair(text, parseIp6, (mask) => parseIpMask(mask, 128, parseIp6))
    case 'ct_state':
      return parseFlags(CT_STATE, text)
    case 'tcp_flags':
      return parseFlags(TCP_FLAGS, text)
    case 'frag':
      return parseFrag(text, fullMask(field))
  }
}

function parsePair(text: string, value: (text: string) => bigint, mask: (text: string) => bigint): Written {
  const slash = text.indexOf('/')
  if (slash < 0) return { value: value(text) }
  return { value: value(text.slice(0, slash)), mask: mask(text.slice(slash + 1)) }
}

function parseIpMask(text: string, bits: number, whole: (text: string) => bigint): bigint {
  if (!/^\d+$/.test(text)) return whole(text)
  const prefix = Number(text)
  if (prefix > bits) throw badValue(text, `a prefix has at most ${bits} bits`)
  return ((1n << BigInt(prefix)) - 1n) << BigInt(bits - prefix)
}

const FRAG: Readonly<Record<string, Written>> = {
  no: { value: 0n },
  first: { value: 1n },
  yes: { value: 1n, mask: 1n },
  later: { value: 3n },
  not_later: { value: 0n, mask: 2n },
}

function parseFrag(text: string, full: bigint): Written {
  const known = FRAG[text]
  if (known !== undefined) return known
  if (/^\d+$/.test(text) && BigInt(text) <= full) return { value: BigInt(text) }
  throw badValue(text, 'none of no, yes, first, later, not_later')
}
