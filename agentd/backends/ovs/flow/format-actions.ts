import { formatIp } from '../../../../src/lib/ip.ts'
import { fieldOf } from './fields.ts'
import { formatValue } from './format-match.ts'
import type { Action, ControllerAction, CtAction, LearnAction, LearnSpec, Nat, Subfield } from './types.ts'
import { formatIp6, formatPort, hexAlt } from './values.ts'

/** `NXM_NX_REG0[]`, `NXM_NX_REG0[4]`, `NXM_NX_REG0[4..7]`. */
export function formatSubfield({ field, start, bits }: Subfield): string {
  const f = fieldOf(field)
  if (start === 0 && bits === f.bits) return `${f.subfield.name}[]`
  return bits === 1 ? `${f.subfield.name}[${start}]` : `${f.subfield.name}[${start}..${start + bits - 1}]`
}

/** `drop` for an empty list. */
export function formatActions(actions: readonly Action[]): string {
  return actions.length === 0 ? 'drop' : actions.map(formatAction).join(',')
}

export function formatAction(a: Action): string {
  switch (a.kind) {
    case 'output':
      return formatOutput(a.port)
    case 'output_reg':
      return `output:${formatSubfield(a.src)}`
    case 'controller':
      return formatController(a)
    case 'group':
      return `group:${a.group}`
    case 'set_field':
      return `set_field:${formatValue(a.field, a)}->${fieldOf(a.field).label}`
    case 'load':
      return `load:${hexAlt(a.value)}->${formatSubfield(a.dst)}`
    case 'move':
      return `move:${formatSubfield(a.src)}->${formatSubfield(a.dst)}`
    case 'push':
      return `push:${formatSubfield(a.src)}`
    case 'pop':
      return `pop:${formatSubfield(a.dst)}`
    case 'push_vlan':
      return `push_vlan:${hexAlt(BigInt(a.ethertype))}`
    case 'resubmit':
      return formatResubmit(a)
    case 'goto_table':
      return `goto_table:${a.table}`
    case 'write_metadata':
      return `write_metadata:${hexAlt(a.value)}${a.mask === undefined ? '' : `/${hexAlt(a.mask)}`}`
    case 'meter':
      return `meter:${a.meter}`
    case 'learn':
      return formatLearn(a)
    case 'ct':
      return formatCt(a)
    case 'conjunction':
      return `conjunction(${a.id},${a.clause}/${a.clauses})`
    case 'note':
      return `note:${dotted(a.data)}`
    case 'dec_ttl':
      return a.controllers === undefined ? 'dec_ttl' : `dec_ttl(${a.controllers.join(',')})`
    case 'set_ttl':
      return `mod_nw_ttl:${a.ttl}`
    case 'set_queue':
      return `set_queue:${a.queue}`
    case 'clone':
      return `clone(${formatActions(a.actions)})`
    case 'check_pkt_larger':
      return `check_pkt_larger(${a.size})->${formatSubfield(a.dst)}`
    case 'multipath':
      return `multipath(${a.fields},${a.basis},${a.algorithm},${a.links},${a.arg},${formatSubfield(a.dst)})`
    case 'pop_vlan':
    case 'clear_actions':
    case 'ct_clear':
    case 'pop_queue':
    case 'exit':
      return a.kind
  }
}

function formatOutput(port: number): string {
  return port < 0xff00 ? `output:${port}` : formatPort(port)
}

function dotted(hexDigits: string): string {
  return hexDigits.match(/../g)?.join('.') ?? ''
}

function formatController(a: ControllerAction): string {
  const simple = a.id === undefined && a.reason === undefined && a.userdata === undefined && a.pause === undefined && a.meter === undefined
  if (simple) return `CONTROLLER:${a.max_len ?? 65535}`
  const parts: string[] = []
  if (a.reason !== undefined) parts.push(`reason=${a.reason}`)
  if (a.max_len !== undefined) parts.push(`max_len=${a.max_len}`)
  if (a.id !== undefined) parts.push(`id=${a.id}`)
  if (a.userdata !== undefined) parts.push(`userdata=${dotted(a.userdata)}`)
  if (a.pause) parts.push('pause')
  if (a.meter !== undefined) parts.push(`meter_id=${a.meter}`)
  return `controller(${parts.join(',')})`
}

function formatResubmit(a: Extract<Action, { kind: 'resubmit' }>): string {
  if (a.port !== undefined && a.table === undefined && !a.ct) return `resubmit:${formatPort(a.port)}`
  return `resubmit(${a.port === undefined ? '' : formatPort(a.port)},${a.table ?? ''}${a.ct ? ',ct' : ''})`
}

function formatLearn(a: LearnAction): string {
  const parts = [`table=${a.table}`]
  if (a.idle_timeout !== undefined) parts.push(`idle_timeout=${a.idle_timeout}`)
  if (a.hard_timeout !== undefined) parts.push(`hard_timeout=${a.hard_timeout}`)
  if (a.fin_idle_timeout !== undefined) parts.push(`fin_idle_timeout=${a.fin_idle_timeout}`)
  if (a.fin_hard_timeout !== undefined) parts.push(`fin_hard_timeout=${a.fin_hard_timeout}`)
  if (a.priority !== undefined) parts.push(`priority=${a.priority}`)
  if (a.send_flow_rem) parts.push('send_flow_rem')
  if (a.delete_learned) parts.push('delete_learned')
  if (a.cookie !== undefined) parts.push(`cookie=${hexAlt(a.cookie)}`)
  if (a.limit !== undefined) parts.push(`limit=${a.limit}`)
  if (a.result !== undefined) parts.push(`result_dst=${formatSubfield(a.result)}`)
  return `learn(${[...parts, ...a.specs.map(formatSpec)].join(',')})`
}

function formatSpec(spec: LearnSpec): string {
  if (spec.kind === 'output') return `output:${formatSubfield(spec.src)}`
  const dst = formatSubfield(spec.dst)
  if (spec.kind === 'load') return `load:${typeof spec.src === 'bigint' ? hexAlt(spec.src) : formatSubfield(spec.src)}->${dst}`
  if (typeof spec.src !== 'bigint') {
    const same = spec.src.field === spec.dst.field && spec.src.start === spec.dst.start
    return same ? dst : `${dst}=${formatSubfield(spec.src)}`
  }
  const whole = spec.dst.start === 0 && spec.dst.bits === fieldOf(spec.dst.field).bits
  return whole ? `${fieldOf(spec.dst.field).label}=${formatValue(spec.dst.field, { value: spec.src })}` : `${dst}=${hexAlt(spec.src)}`
}

function formatCt(a: CtAction): string {
  const parts: string[] = []
  if (a.commit) parts.push('commit')
  if (a.force) parts.push('force')
  if (a.table !== undefined) parts.push(`table=${a.table}`)
  if (a.zone !== undefined) parts.push(`zone=${typeof a.zone === 'number' ? a.zone : formatSubfield(a.zone)}`)
  if (a.nat !== undefined) parts.push(formatNat(a.nat))
  if (a.exec !== undefined) parts.push(`exec(${formatActions(a.exec)})`)
  if (a.alg !== undefined) parts.push(`alg=${a.alg}`)
  return `ct(${parts.join(',')})`
}

function formatNat(nat: Nat): string {
  if (nat.kind === undefined) return 'nat'
  if (nat.min === undefined) return `nat(${nat.kind})`
  const parts = [`${nat.kind}=${formatNatRange(nat, nat.min)}`]
  if (nat.persistent) parts.push('persistent')
  if (nat.hash) parts.push('hash')
  if (nat.random) parts.push('random')
  return `nat(${parts.join(',')})`
}

function formatNatRange(nat: Nat, min: bigint): string {
  const ports = nat.port_min !== undefined
  const address = (value: bigint): string => {
    if (nat.family === 4) return formatIp(4, value)
    return ports ? `[${formatIp6(value)}]` : formatIp6(value)
  }
  let out = address(min)
  if (nat.max !== undefined) out += `-${address(nat.max)}`
  if (ports) out += `:${nat.port_min}`
  if (nat.port_max !== undefined) out += `-${nat.port_max}`
  return out
}
