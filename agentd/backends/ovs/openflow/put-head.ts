import type { Subfield } from '../flow/types.ts'
import type { ByteWriter } from './bytes.ts'
import { ACTION, NICIRA } from './constants.ts'

/** The head of an action of the standard. */
export function standard(w: ByteWriter, type: number, length: number): void {
  w.u16(type)
  w.u16(length)
}

/** The head of one of OVS's own actions. */
export function nicira(w: ByteWriter, subtype: number, length: number): void {
  w.u16(ACTION.EXPERIMENTER)
  w.u16(length)
  w.u32(NICIRA)
  w.u16(subtype)
}

/** Fills in the length of an action that began at `start`, after padding it. */
export function finish(w: ByteWriter, start: number): void {
  w.pad8(start)
  w.set16(start + 2, w.at - start)
}

export function ofsNbits(s: Subfield): number {
  return (s.start << 6) | (s.bits - 1)
}
