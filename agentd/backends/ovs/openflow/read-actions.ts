import { type Action, type ControllerAction, HASH_FIELDS, LINK_ALGORITHMS, PACKET_IN_REASONS, PORT, type Subfield } from '../flow/types.ts'
import { ACTION, INSTRUCTION, NICIRA, NXAST, portFromWire } from './constants.ts'
import { OpenFlowError } from './error.ts'
import { readCt } from './read-ct.ts'
import { readLearn } from './read-learn.ts'
import { hexOf, readEntry, readSubfield } from './read-oxm.ts'

/** Instructions from `at` to `end` as one list of actions. Throws OpenFlowError `protocol` that quotes what it does not know. */
export function readInstructions(b: Buffer, at: number, end: number): Action[] {
  const out: Action[] = []
  for (let i = at; i < end; ) {
    const type = b.readUInt16BE(i)
    const length = b.readUInt16BE(i + 2)
    if (length < 8 || i + length > end) throw new OpenFlowError('protocol', `an instruction of ${length} bytes`)
    if (type === INSTRUCTION.APPLY_ACTIONS) out.push(...readActions(b, i + 8, i + length))
    else out.push(readInstruction(b, i, type, length))
    i += length
  }
  return out
}

function readInstruction(b: Buffer, at: number, type: number, length: number): Action {
  switch (type) {
    case INSTRUCTION.GOTO_TABLE:
      return { kind: 'goto_table', table: b.readUInt8(at + 4) }
    case INSTRUCTION.WRITE_METADATA:
      return writeMetadata(b.readBigUInt64BE(at + 8), b.readBigUInt64BE(at + 16))
    case INSTRUCTION.CLEAR_ACTIONS:
      return { kind: 'clear_actions' }
    case INSTRUCTION.METER:
      return { kind: 'meter', meter: b.readUInt32BE(at + 4) }
    default:
      throw new OpenFlowError('protocol', `unknown instruction ${hexOf(b, at, at + length)}`)
  }
}

function writeMetadata(value: bigint, mask: bigint): Action {
  return mask === 0xffffffffffffffffn ? { kind: 'write_metadata', value } : { kind: 'write_metadata', value: value & mask, mask }
}

/** Actions from `at` to `end`. */
export function readActions(b: Buffer, at: number, end: number): Action[] {
  const out: Action[] = []
  for (let i = at; i < end; ) {
    const length = b.readUInt16BE(i + 2)
    if (length < 8 || i + length > end) throw new OpenFlowError('protocol', `an action of ${length} bytes`)
    const type = b.readUInt16BE(i)
    const vendor = type === ACTION.EXPERIMENTER ? b.readUInt32BE(i + 4) : 0
    const action = vendor === NICIRA ? readNicira(b, i, length) : type === ACTION.EXPERIMENTER ? undefined : readStandard(b, i, type)
    if (action === undefined) throw new OpenFlowError('protocol', `unknown action ${hexOf(b, i, i + length)}`)
    out.push(action)
    i += length
  }
  return out
}

function readStandard(b: Buffer, at: number, type: number): Action | undefined {
  switch (type) {
    case ACTION.OUTPUT:
      return readOutput(portFromWire(b.readUInt32BE(at + 4)), b.readUInt16BE(at + 8))
    case ACTION.GROUP:
      return { kind: 'group', group: b.readUInt32BE(at + 4) }
    case ACTION.PUSH_VLAN:
      return { kind: 'push_vlan', ethertype: b.readUInt16BE(at + 4) }
    case ACTION.POP_VLAN:
      return { kind: 'pop_vlan' }
    case ACTION.SET_QUEUE:
      return { kind: 'set_queue', queue: b.readUInt32BE(at + 4) }
    case ACTION.SET_NW_TTL:
      return { kind: 'set_ttl', ttl: b.readUInt8(at + 4) }
    case ACTION.DEC_NW_TTL:
      return { kind: 'dec_ttl' }
    case ACTION.SET_FIELD: {
      const { field, value, mask } = readEntry(b, at + 4)
      return mask === undefined ? { kind: 'set_field', field: field.name, value } : undefined
    }
    default:
      return undefined
  }
}

function readOutput(port: number, maxLen: number): Action {
  if (port !== PORT.CONTROLLER) return maxLen === 0 ? { kind: 'output', port } : { kind: 'output', port, max_len: maxLen }
  return maxLen === 0xffff ? { kind: 'controller' } : { kind: 'controller', max_len: maxLen }
}

/** `(start << 6) | (bits - 1)`, then the field. */
function packed(b: Buffer, at: number, field: number): Subfield {
  const n = b.readUInt16BE(at)
  return readSubfield(b, field, n >>> 6, (n & 0x3f) + 1)
}

function readNicira(b: Buffer, at: number, length: number): Action | undefined {
  const end = at + length
  switch (b.readUInt16BE(at + 8)) {
    case NXAST.RESUBMIT:
      return { kind: 'resubmit', port: b.readUInt16BE(at + 10) }
    case NXAST.RESUBMIT_TABLE:
      return readResubmit(b, at, false)
    case NXAST.RESUBMIT_TABLE_CT:
      return readResubmit(b, at, true)
    case NXAST.LEARN:
    case NXAST.LEARN2:
      return readLearn(b, at, end)
    case NXAST.CT:
      return readCt(b, at, end, readActions)
    case NXAST.CONTROLLER:
      return readController(b.readUInt16BE(at + 10), b.readUInt16BE(at + 12), b.readUInt8(at + 14))
    case NXAST.CONTROLLER2:
      return readController2(b, at + 16, end)
    case NXAST.CONJUNCTION:
      return { kind: 'conjunction', id: b.readUInt32BE(at + 12), clause: b.readUInt8(at + 10) + 1, clauses: b.readUInt8(at + 11) }
    case NXAST.NOTE:
      return { kind: 'note', data: b.toString('hex', at + 10, end) }
    case NXAST.CLONE:
      return { kind: 'clone', actions: readActions(b, at + 16, end) }
    case NXAST.CT_CLEAR:
      return { kind: 'ct_clear' }
    case NXAST.POP_QUEUE:
      return { kind: 'pop_queue' }
    case NXAST.EXIT:
      return { kind: 'exit' }
    case NXAST.DEC_TTL_CNT_IDS:
      return { kind: 'dec_ttl', controllers: Array.from({ length: b.readUInt16BE(at + 10) }, (_, i) => b.readUInt16BE(at + 16 + 2 * i)) }
    default:
      return readRegisterAction(b, at)
  }
}

function readRegisterAction(b: Buffer, at: number): Action | undefined {
  switch (b.readUInt16BE(at + 8)) {
    case NXAST.REG_LOAD:
      return { kind: 'load', dst: packed(b, at + 10, at + 12), value: b.readBigUInt64BE(at + 16) }
    case NXAST.REG_MOVE: {
      const bits = b.readUInt16BE(at + 10)
      const src = readSubfield(b, at + 16, b.readUInt16BE(at + 12), bits)
      return { kind: 'move', src, dst: readSubfield(b, at + 20, b.readUInt16BE(at + 14), bits) }
    }
    case NXAST.OUTPUT_REG: {
      const maxLen = b.readUInt16BE(at + 16)
      return { kind: 'output_reg', src: packed(b, at + 10, at + 12), ...(maxLen === 0xffff ? {} : { max_len: maxLen }) }
    }
    case NXAST.STACK_PUSH:
      return { kind: 'push', src: readSubfield(b, at + 12, b.readUInt16BE(at + 10), b.readUInt16BE(at + 16)) }
    case NXAST.STACK_POP:
      return { kind: 'pop', dst: readSubfield(b, at + 12, b.readUInt16BE(at + 10), b.readUInt16BE(at + 16)) }
    case NXAST.MULTIPATH:
      return {
        kind: 'multipath',
        fields: HASH_FIELDS[b.readUInt16BE(at + 10)] ?? 'eth_src',
        basis: b.readUInt16BE(at + 12),
        algorithm: LINK_ALGORITHMS[b.readUInt16BE(at + 16)] ?? 'modulo_n',
        links: b.readUInt16BE(at + 18) + 1,
        arg: b.readUInt32BE(at + 20),
        dst: packed(b, at + 26, at + 28),
      }
    case NXAST.CHECK_PKT_LARGER:
      return { kind: 'check_pkt_larger', size: b.readUInt16BE(at + 10), dst: readSubfield(b, at + 14, b.readUInt16BE(at + 12), 1) }
    default:
      return undefined
  }
}

function readResubmit(b: Buffer, at: number, ct: boolean): Action {
  const port = b.readUInt16BE(at + 10)
  const table = b.readUInt8(at + 12)
  return {
    kind: 'resubmit',
    ...(port === PORT.IN_PORT ? {} : { port }),
    ...(table === 0xff ? {} : { table }),
    ...(ct ? { ct: true as const } : {}),
  }
}

function readController(maxLen: number, id: number, reason: number): ControllerAction {
  const name = PACKET_IN_REASONS[reason]
  if (name === undefined) throw new OpenFlowError('protocol', `unknown reason ${reason} of controller()`)
  return {
    kind: 'controller',
    ...(maxLen === 0xffff ? {} : { max_len: maxLen }),
    ...(id === 0 ? {} : { id }),
    ...(name === 'action' ? {} : { reason: name }),
  }
}

function readController2(b: Buffer, at: number, end: number): ControllerAction {
  let [maxLen, id, reason] = [0xffff, 0, PACKET_IN_REASONS.indexOf('action')]
  const rest: { userdata?: string; pause?: true; meter?: number } = {}
  for (let i = at; i + 4 <= end; ) {
    const type = b.readUInt16BE(i)
    const length = b.readUInt16BE(i + 2)
    if (length < 4) break
    if (type === 0) maxLen = b.readUInt16BE(i + 4)
    else if (type === 1) id = b.readUInt16BE(i + 4)
    else if (type === 2) reason = b.readUInt8(i + 4)
    else if (type === 3) rest.userdata = b.toString('hex', i + 4, i + length)
    else if (type === 4) rest.pause = true
    else if (type === 5) rest.meter = b.readUInt32BE(i + 4)
    else throw new OpenFlowError('protocol', `unknown property ${type} of controller()`)
    i += (length + 7) & ~7
  }
  return { ...readController(maxLen, id, reason), ...rest }
}
