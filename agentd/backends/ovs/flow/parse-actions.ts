import { badValue, FlowError } from './error.ts'
import { type FieldName, fieldByText, fieldOf, fullMask } from './fields.ts'
import { setField } from './make.ts'
import { parseCt } from './parse-ct.ts'
import { parseLearn } from './parse-learn.ts'
import { parseSubfield } from './parse-subfield.ts'
import { parseFieldText } from './parse-value.ts'
import { type Call, keyValue, parseCall, splitOutside } from './tokens.ts'
import {
  type Action,
  type ControllerAction,
  HASH_FIELDS,
  LINK_ALGORITHMS,
  type MultipathAction,
  PACKET_IN_REASONS,
  type PacketInReason,
  PORT,
} from './types.ts'
import { fieldValue, parseNumber, parsePort, parseUint } from './values.ts'

/** The actions of a flow from text; `drop` is the empty list. Throws FlowError that quotes an action it does not know. */
export function parseActions(text: string): Action[] {
  const parts = splitOutside(text, ', \t\n')
  if (parts.length === 1 && parts[0] === 'drop') return []
  return parts.flatMap(parseAction)
}

function parseAction(text: string): Action[] {
  const call = parseCall(text)
  const made = parsePlain(call) ?? parseFieldAction(call, text)
  if (made !== undefined) return [made].flat()
  const port = reservedPort(call, text)
  if (port !== undefined) return [port]
  throw new FlowError('unknown-action', text, `unknown action "${text}"`)
}

/** `IN_PORT`, `LOCAL`, `CONTROLLER:128`, `3`. */
function reservedPort(call: Call, text: string): Action | undefined {
  if (call.name.toUpperCase() === 'CONTROLLER') return parseController(call)
  const port = (PORT as Readonly<Record<string, number>>)[text.toUpperCase()]
  return port === undefined ? undefined : { kind: 'output', port }
}

function need(call: Call): string {
  const argument = call.argument ?? call.inside
  if (argument === undefined || argument === '') throw badValue(call.name, 'an argument is missing')
  return argument
}

/** Actions that concern no field; undefined for others. */
function parsePlain(call: Call): Action | undefined {
  switch (call.name) {
    case 'group':
      return { kind: 'group', group: parseUint(need(call), 32) }
    case 'push_vlan':
      return { kind: 'push_vlan', ethertype: parseUint(need(call), 16) }
    case 'pop_vlan':
    case 'strip_vlan':
      return { kind: 'pop_vlan' }
    case 'resubmit':
      return parseResubmit(call)
    case 'goto_table':
      return { kind: 'goto_table', table: parseUint(need(call), 8) }
    case 'meter':
      return { kind: 'meter', meter: parseUint(need(call), 32) }
    case 'learn':
      return parseLearn(call.inside ?? '')
    case 'ct':
      return parseCt(call.inside ?? '', parseActions)
    case 'conjunction':
      return parseConjunction(need(call))
    case 'note':
      return { kind: 'note', data: parseNote(call.argument ?? '') }
    case 'dec_ttl':
      if (call.inside === undefined) return { kind: 'dec_ttl' }
      return { kind: 'dec_ttl', controllers: splitOutside(call.inside, ', ').map((id) => parseUint(id, 16)) }
    case 'mod_nw_ttl':
      return { kind: 'set_ttl', ttl: parseUint(need(call), 8) }
    case 'set_queue':
      return { kind: 'set_queue', queue: parseUint(need(call), 32) }
    case 'clone':
      return { kind: 'clone', actions: parseActions(call.inside ?? '') }
    case 'clear_actions':
    case 'ct_clear':
    case 'pop_queue':
    case 'exit':
      return { kind: call.name }
    default:
      return undefined
  }
}

/** Actions on fields and registers; undefined for others. */
function parseFieldAction(call: Call, text: string): Action | readonly Action[] | undefined {
  switch (call.name) {
    case 'output':
      return parseOutput(need(call))
    case 'load': {
      const { left, right } = arrow(need(call))
      return parseLoad(left, right)
    }
    case 'set_field': {
      const { left, right } = arrow(need(call))
      return parseSetField(left, right)
    }
    case 'move': {
      const { left, right } = arrow(need(call))
      return parseMove(left, right, text)
    }
    case 'push':
      return { kind: 'push', src: parseSubfield(need(call)) }
    case 'pop':
      return { kind: 'pop', dst: parseSubfield(need(call)) }
    case 'write_metadata':
      return parseWriteMetadata(need(call))
    case 'check_pkt_larger':
      return { kind: 'check_pkt_larger', size: parseUint(need(call), 16), dst: parseSubfield(call.target ?? '') }
    case 'multipath':
      return parseMultipath(call.inside ?? '')
    case 'set_tunnel':
    case 'set_tunnel64':
      return { kind: 'set_field', field: 'tun_id', value: parseNumber(need(call)) }
    default:
      return parseMod(call)
  }
}

/** `mod_dl_src:…` and the like: OpenFlow 1.0's words for set_field. */
const MOD: Readonly<Record<string, FieldName>> = {
  mod_dl_src: 'eth_src',
  mod_dl_dst: 'eth_dst',
  mod_nw_src: 'ip_src',
  mod_nw_dst: 'ip_dst',
}

function parseMod(call: Call): readonly Action[] | undefined {
  const field = MOD[call.name]
  return field === undefined ? undefined : setField(field, need(call))
}

function arrow(text: string): { left: string; right: string } {
  const at = text.lastIndexOf('->')
  if (at < 0) throw new FlowError('bad-syntax', text, `"${text}": "->" is missing`)
  return { left: text.slice(0, at), right: text.slice(at + 2) }
}

function parseOutput(text: string): Action {
  if (/^[A-Za-z]\w*\[/.test(text) || fieldByText(text) !== undefined) return { kind: 'output_reg', src: parseSubfield(text) }
  const port = parsePort(text)
  return port === PORT.CONTROLLER ? { kind: 'controller' } : { kind: 'output', port }
}

function parseLoad(left: string, right: string): Action {
  const dst = parseSubfield(right)
  const value = parseNumber(left)
  if (value >> BigInt(dst.bits) !== 0n) throw badValue(left, `more than ${dst.bits} bits`)
  return { kind: 'load', dst, value }
}

function parseSetField(left: string, right: string): readonly Action[] {
  const field = fieldByText(right)
  if (field === undefined) throw new FlowError('unknown-action', right, `unknown field "${right}"`)
  const { value, mask } = parseFieldText(field, left)
  return setField(field.name, mask === undefined || mask === fullMask(field) ? value : { value, mask })
}

function parseMove(left: string, right: string, text: string): Action {
  const src = parseSubfield(left)
  const dst = parseSubfield(right)
  if (src.bits !== dst.bits) throw badValue(text, 'widths differ')
  return { kind: 'move', src, dst }
}

function parseWriteMetadata(text: string): Action {
  const field = fieldOf('metadata')
  const { value, mask } = parseFieldText(field, text)
  const made = fieldValue(field, value, mask) ?? { value: 0n, mask: 0n }
  return { kind: 'write_metadata', ...made }
}

function parseResubmit(call: Call): Action {
  if (call.argument !== undefined) return { kind: 'resubmit', port: parsePort(call.argument) }
  const [port = '', table = '', ct, more] = (call.inside ?? '').split(',').map((s) => s.trim())
  if (more !== undefined || (ct !== undefined && ct !== 'ct')) throw badValue(call.inside ?? '', 'not resubmit(port,table[,ct])')
  return {
    kind: 'resubmit',
    ...(port === '' || port === 'IN_PORT' ? {} : { port: parsePort(port) }),
    ...(table === '' ? {} : { table: parseUint(table, 8) }),
    ...(ct === undefined ? {} : { ct: true as const }),
  }
}

function parseConjunction(text: string): Action {
  const match = /^\s*(\w+)\s*,\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(text)
  if (match === null) throw badValue(text, 'not conjunction(id,k/n)')
  const [, id = '', clause = '', clauses = ''] = match
  return { kind: 'conjunction', id: parseUint(id, 32), clause: parseUint(clause, 8), clauses: parseUint(clauses, 8) }
}

function parseHex(text: string): string {
  const digits = text.replaceAll('.', '').toLowerCase()
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw badValue(text, 'not hexadecimal bytes')
  return digits
}

/** Padded as OVS pads it: to 6 bytes and a multiple of 8. */
function parseNote(text: string): string {
  const digits = parseHex(text)
  const bytes = digits.length / 2
  return digits.padEnd(2 * (6 + 8 * Math.ceil(Math.max(0, bytes - 6) / 8)), '0')
}

function parseController(call: Call): ControllerAction {
  if (call.argument !== undefined) return controller({ max_len: parseUint(call.argument, 16) })
  const made: { -readonly [K in keyof ControllerAction]?: ControllerAction[K] } = {}
  for (const part of splitOutside(call.inside ?? '', ', ')) {
    const { key, value = '' } = keyValue(part)
    if (key === 'max_len') made.max_len = parseUint(value, 16)
    else if (key === 'id') made.id = parseUint(value, 16)
    else if (key === 'reason' && (PACKET_IN_REASONS as readonly string[]).includes(value)) made.reason = value as PacketInReason
    else if (key === 'userdata') made.userdata = parseHex(value)
    else if (key === 'pause') made.pause = true
    else if (key === 'meter_id') made.meter = parseUint(value, 32)
    else throw new FlowError('unknown-action', part, `unknown part "${part}" of controller()`)
  }
  return controller(made)
}

/** Defaults are left out. */
function controller(a: Omit<ControllerAction, 'kind'>): ControllerAction {
  const { max_len, id, reason, ...rest } = a
  return {
    kind: 'controller',
    ...rest,
    ...(max_len === undefined || max_len === 65535 ? {} : { max_len }),
    ...(id === undefined || id === 0 ? {} : { id }),
    ...(reason === undefined || reason === 'action' ? {} : { reason }),
  }
}

function parseMultipath(text: string): MultipathAction {
  const [fields = '', basis = '', algorithm = '', links = '', arg = '', dst = ''] = splitOutside(text, ', ')
  const hash = HASH_FIELDS.find((name) => name === fields)
  const pick = LINK_ALGORITHMS.find((name) => name === algorithm)
  if (hash === undefined || pick === undefined) throw badValue('multipath', text)
  return {
    kind: 'multipath',
    fields: hash,
    basis: parseUint(basis, 16),
    algorithm: pick,
    links: parseUint(links, 16),
    arg: parseUint(arg, 32),
    dst: parseSubfield(dst),
  }
}
