import type { Action, CtAction, Nat } from '../flow/types.ts'
import type { ByteWriter } from './bytes.ts'
import { NXAST } from './constants.ts'
import { finish, nicira, ofsNbits } from './put-head.ts'
import { subfieldHeader } from './put-oxm.ts'

const ALG_PORTS = { ftp: 21, tftp: 69 } as const

/** ct(…): the translation goes first among the nested actions. */
export function putCt(w: ByteWriter, a: CtAction, putActions: (w: ByteWriter, actions: readonly Action[]) => void): void {
  const start = w.at
  nicira(w, NXAST.CT, 0)
  w.u16((a.commit ? 1 : 0) | (a.force ? 2 : 0))
  const { zone = 0 } = a
  w.u32(typeof zone === 'number' ? 0 : subfieldHeader(zone))
  w.u16(typeof zone === 'number' ? zone : ofsNbits(zone))
  w.u8(a.table ?? 0xff)
  w.zeros(3)
  w.u16(a.alg === undefined ? 0 : ALG_PORTS[a.alg])
  if (a.nat !== undefined) putNat(w, a.nat)
  if (a.exec !== undefined) putActions(w, a.exec)
  finish(w, start)
}

function putNat(w: ByteWriter, nat: Nat): void {
  const start = w.at
  nicira(w, NXAST.NAT, 0)
  w.zeros(2)
  const kind = nat.kind === undefined ? 0 : nat.kind === 'src' ? 1 : 2
  w.u16(kind | (nat.persistent ? 4 : 0) | (nat.hash ? 8 : 0) | (nat.random ? 16 : 0))
  const at = w.at
  w.u16(0)
  let present = 0
  const address = (value: bigint | undefined, flag: number): void => {
    if (value === undefined) return
    present |= nat.family === 6 ? flag << 2 : flag
    w.big(value, nat.family === 6 ? 16 : 4)
  }
  const port = (value: number | undefined, flag: number): void => {
    if (value === undefined) return
    present |= flag
    w.u16(value)
  }
  address(nat.min, 1)
  address(nat.max, 2)
  port(nat.port_min, 16)
  port(nat.port_max, 32)
  w.set16(at, present)
  finish(w, start)
}
