import type { LearnAction, LearnSpec, Subfield } from '../flow/types.ts'
import type { ByteWriter } from './bytes.ts'
import { NXAST } from './constants.ts'
import { finish, nicira } from './put-head.ts'
import { subfieldHeader } from './put-oxm.ts'

/** learn(): ovs-actions(7), "The learn action". With a limit or a result it is OVS's second form of it. */
export function putLearn(w: ByteWriter, a: LearnAction): void {
  const start = w.at
  const second = a.limit !== undefined || a.result !== undefined
  nicira(w, second ? NXAST.LEARN2 : NXAST.LEARN, 0)
  w.u16(a.idle_timeout ?? 0)
  w.u16(a.hard_timeout ?? 0)
  w.u16(a.priority ?? 0x8000)
  w.u64(a.cookie ?? 0n)
  w.u16((a.send_flow_rem ? 1 : 0) | (a.delete_learned ? 2 : 0) | (a.result === undefined ? 0 : 4))
  w.u8(a.table)
  w.u8(0)
  w.u16(a.fin_idle_timeout ?? 0)
  w.u16(a.fin_hard_timeout ?? 0)
  if (second) {
    w.u32(a.limit ?? 0)
    w.u16(a.result?.start ?? 0)
    w.u16(0)
    if (a.result !== undefined) w.u32(subfieldHeader(a.result))
  }
  for (const spec of a.specs) putSpec(w, spec)
  finish(w, start)
}

const IMMEDIATE = 1 << 13
const DST_LOAD = 1 << 11
const DST_OUTPUT = 2 << 11

function putSpec(w: ByteWriter, spec: LearnSpec): void {
  if (spec.kind === 'output') {
    w.u16(spec.src.bits | DST_OUTPUT)
    putSubfield(w, spec.src)
    return
  }
  const immediate = typeof spec.src === 'bigint'
  w.u16(spec.dst.bits | (immediate ? IMMEDIATE : 0) | (spec.kind === 'load' ? DST_LOAD : 0))
  if (typeof spec.src === 'bigint') putImmediate(w, spec.src, spec.dst.bits)
  else putSubfield(w, spec.src)
  putSubfield(w, spec.dst)
}

function putSubfield(w: ByteWriter, s: Subfield): void {
  w.u32(subfieldHeader(s))
  w.u16(s.start)
}

/** Whole 16-bit words. */
function putImmediate(w: ByteWriter, value: bigint, bits: number): void {
  for (let shift = Math.ceil(bits / 16) * 16 - 16; shift >= 0; shift -= 16) w.u16(Number((value >> BigInt(shift)) & 0xffffn))
}
