import { fieldOf } from '../flow/fields.ts'
import { type Action, HASH_FIELDS, LINK_ALGORITHMS, PORT } from '../flow/types.ts'
import type { ByteWriter } from './bytes.ts'
import { ACTION, NXAST } from './constants.ts'
import { OpenFlowError } from './error.ts'
import { putCt } from './put-ct.ts'
import { finish, nicira, ofsNbits, standard } from './put-head.ts'
import { putLearn } from './put-learn.ts'
import { putController, putOutput } from './put-output.ts'
import { putField, subfieldHeader } from './put-oxm.ts'

/** Actions as bytes, the same that `ovs-ofctl -O OpenFlow14` makes: OpenFlow 1.4, 7.2.5, and ovs-actions(7). */
export function putActions(w: ByteWriter, actions: readonly Action[]): void {
  for (const action of actions) putAction(w, action)
}

function putAction(w: ByteWriter, a: Action): void {
  switch (a.kind) {
    case 'output':
      putOutput(w, a.port, a.max_len ?? (a.port === PORT.CONTROLLER ? 0xffff : 0))
      return
    case 'controller':
      putController(w, a)
      return
    case 'set_field':
      putSetField(w, a)
      return
    case 'resubmit':
      putResubmit(w, a)
      return
    case 'learn':
      putLearn(w, a)
      return
    case 'ct':
      putCt(w, a, putActions)
      return
    case 'load':
    case 'move':
    case 'push':
    case 'pop':
    case 'output_reg':
    case 'check_pkt_larger':
    case 'multipath':
      putRegisterAction(w, a)
      return
    case 'conjunction':
      nicira(w, NXAST.CONJUNCTION, 16)
      w.u8(a.clause - 1)
      w.u8(a.clauses)
      w.u32(a.id)
      return
    case 'note':
      putNote(w, a.data)
      return
    case 'clone': {
      const start = w.at
      nicira(w, NXAST.CLONE, 0)
      w.zeros(6)
      putActions(w, a.actions)
      finish(w, start)
      return
    }
    default:
      putSmall(w, a)
  }
}

type Small = Exclude<
  Action,
  { kind: 'learn' | 'ct' | 'load' | 'move' | 'push' | 'pop' | 'output_reg' | 'check_pkt_larger' | 'multipath' | 'controller' }
>

/** Actions of one or two numbers. */
function putSmall(w: ByteWriter, a: Small): void {
  switch (a.kind) {
    case 'group':
      standard(w, ACTION.GROUP, 8)
      w.u32(a.group)
      return
    case 'push_vlan':
      standard(w, ACTION.PUSH_VLAN, 8)
      w.u16(a.ethertype)
      w.zeros(2)
      return
    case 'pop_vlan':
      standard(w, ACTION.POP_VLAN, 8)
      w.zeros(4)
      return
    case 'set_queue':
      standard(w, ACTION.SET_QUEUE, 8)
      w.u32(a.queue)
      return
    case 'set_ttl':
      standard(w, ACTION.SET_NW_TTL, 8)
      w.u8(a.ttl)
      w.zeros(3)
      return
    case 'dec_ttl':
      putDecTtl(w, a.controllers)
      return
    case 'ct_clear':
    case 'pop_queue':
    case 'exit':
      nicira(w, a.kind === 'ct_clear' ? NXAST.CT_CLEAR : a.kind === 'exit' ? NXAST.EXIT : NXAST.POP_QUEUE, 16)
      w.zeros(6)
      return
    default:
      throw new OpenFlowError('encode', `${a.kind} cannot stand inside or after other actions`)
  }
}

function putSetField(w: ByteWriter, a: Extract<Action, { kind: 'set_field' }>): void {
  const start = w.at
  standard(w, ACTION.SET_FIELD, 0)
  putField(w, fieldOf(a.field), a.value)
  finish(w, start)
}

function putResubmit(w: ByteWriter, a: Extract<Action, { kind: 'resubmit' }>): void {
  nicira(w, a.ct ? NXAST.RESUBMIT_TABLE_CT : NXAST.RESUBMIT_TABLE, 16)
  w.u16(a.port ?? PORT.IN_PORT)
  w.u8(a.table ?? 0xff)
  w.zeros(3)
}

function putRegisterAction(
  w: ByteWriter,
  a: Extract<Action, { kind: 'load' | 'move' | 'push' | 'pop' | 'output_reg' | 'check_pkt_larger' | 'multipath' }>,
): void {
  switch (a.kind) {
    case 'load':
      nicira(w, NXAST.REG_LOAD, 24)
      w.u16(ofsNbits(a.dst))
      w.u32(subfieldHeader(a.dst))
      w.u64(a.value)
      return
    case 'move':
      nicira(w, NXAST.REG_MOVE, 24)
      w.u16(a.src.bits)
      w.u16(a.src.start)
      w.u16(a.dst.start)
      w.u32(subfieldHeader(a.src))
      w.u32(subfieldHeader(a.dst))
      return
    case 'output_reg':
      nicira(w, NXAST.OUTPUT_REG, 24)
      w.u16(ofsNbits(a.src))
      w.u32(subfieldHeader(a.src))
      w.u16(a.max_len ?? 0xffff)
      w.zeros(6)
      return
    case 'check_pkt_larger':
      nicira(w, NXAST.CHECK_PKT_LARGER, 24)
      w.u16(a.size)
      w.u16(a.dst.start)
      w.u32(subfieldHeader(a.dst))
      w.zeros(6)
      return
    case 'multipath':
      nicira(w, NXAST.MULTIPATH, 32)
      w.u16(HASH_FIELDS.indexOf(a.fields))
      w.u16(a.basis)
      w.zeros(2)
      w.u16(LINK_ALGORITHMS.indexOf(a.algorithm))
      w.u16(a.links - 1)
      w.u32(a.arg)
      w.zeros(2)
      w.u16(ofsNbits(a.dst))
      w.u32(subfieldHeader(a.dst))
      return
    default: {
      const s = a.kind === 'push' ? a.src : a.dst
      nicira(w, a.kind === 'push' ? NXAST.STACK_PUSH : NXAST.STACK_POP, 24)
      w.u16(s.start)
      w.u32(subfieldHeader(s))
      w.u16(s.bits)
      w.zeros(6)
    }
  }
}

function putNote(w: ByteWriter, data: string): void {
  const start = w.at
  nicira(w, NXAST.NOTE, 0)
  w.bytes(Buffer.from(data, 'hex'))
  if (w.at - start < 16) w.zeros(16 - (w.at - start))
  finish(w, start)
}

function putDecTtl(w: ByteWriter, controllers: readonly number[] | undefined): void {
  if (controllers === undefined) {
    standard(w, ACTION.DEC_NW_TTL, 8)
    w.zeros(4)
    return
  }
  const start = w.at
  nicira(w, NXAST.DEC_TTL_CNT_IDS, 0)
  w.u16(controllers.length)
  w.zeros(4)
  for (const id of controllers) w.u16(id)
  finish(w, start)
}
