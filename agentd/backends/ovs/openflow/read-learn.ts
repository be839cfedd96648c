import { fieldOf } from '../flow/fields.ts'
import type { LearnAction, LearnSpec, Subfield } from '../flow/types.ts'
import { NXAST } from './constants.ts'
import { OpenFlowError } from './error.ts'
import { readSubfield } from './read-oxm.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export function readLearn(b: Buffer, at: number, end: number): LearnAction {
  const made: Mutable<LearnAction> = { kind: 'learn', table: b.readUInt8(at + 26), specs: [] }
  const optional = (key: 'idle_timeout' | 'hard_timeout' | 'fin_idle_timeout' | 'fin_hard_timeout', offset: number): void => {
    const value = b.readUInt16BE(at + offset)
    if (value !== 0) made[key] = value
  }
  optional('idle_timeout', 10)
  optional('hard_timeout', 12)
  optional('fin_idle_timeout', 28)
  optional('fin_hard_timeout', 30)
  const priority = b.readUInt16BE(at + 14)
  if (priority !== 0x8000) made.priority = priority
  const cookie = b.readBigUInt64BE(at + 16)
  if (cookie !== 0n) made.cookie = cookie
  const flags = b.readUInt16BE(at + 24)
  if ((flags & 1) !== 0) made.send_flow_rem = true
  if ((flags & 2) !== 0) made.delete_learned = true
  let i = at + 32
  if (b.readUInt16BE(at + 8) === NXAST.LEARN2) {
    const limit = b.readUInt32BE(i)
    if (limit !== 0) made.limit = limit
    if ((flags & 4) !== 0) made.result = readSubfield(b, i + 8, b.readUInt16BE(i + 4), 1)
    i += (flags & 4) !== 0 ? 12 : 8
  }
  return { ...made, specs: readSpecs(b, i, end) }
}

/** A header of zero is padding. */
function readSpecs(b: Buffer, at: number, end: number): LearnSpec[] {
  const specs: LearnSpec[] = []
  for (let i = at; i + 2 <= end; ) {
    const header = b.readUInt16BE(i)
    if (header === 0) break
    i += 2
    const bits = header & 0x3ff
    if (bits === 0) throw new OpenFlowError('protocol', 'learn() with a part of no bits')
    const field = (): Subfield => {
      i += 6
      const s = readSubfield(b, i - 6, b.readUInt16BE(i - 2), bits)
      if (s.start + bits > fieldOf(s.field).bits) throw new OpenFlowError('protocol', `learn() names bits that ${s.field} does not have`)
      return s
    }
    const immediate = (): bigint => {
      const bytes = Math.ceil(bits / 16) * 2
      i += bytes
      return BigInt(`0x${b.toString('hex', i - bytes, i)}`)
    }
    const src = (header & (1 << 13)) === 0 ? field() : immediate()
    const kind = (header >>> 11) & 3
    if (kind === 2 && typeof src !== 'bigint') specs.push({ kind: 'output', src })
    else if (kind <= 1) specs.push({ kind: kind === 0 ? 'match' : 'load', src, dst: field() })
    else throw new OpenFlowError('protocol', `unknown part of learn(): 0x${header.toString(16)}`)
  }
  return specs
}
