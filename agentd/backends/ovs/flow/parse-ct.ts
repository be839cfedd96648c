import { badValue, FlowError } from './error.ts'
import { parseSubfield } from './parse-subfield.ts'
import { keyValue, parseCall, splitOutside } from './tokens.ts'
import type { Action, CtAction, Nat } from './types.ts'
import { parseIp4, parseIp6, parseUint } from './values.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The inside of `ct(…)`. `actions` reads what stands in `exec(…)`. */
export function parseCt(inside: string, actions: (text: string) => Action[]): CtAction {
  const made: Mutable<CtAction> = { kind: 'ct' }
  for (const part of splitOutside(inside, ', ')) {
    const { key, value } = keyValue(part)
    if (part === 'commit' || part === 'force') made[part] = true
    else if (key === 'table' && value !== undefined) made.table = parseUint(value, 8)
    else if (key === 'zone' && value !== undefined) setZone(made, value)
    else if (key === 'alg' && (value === 'ftp' || value === 'tftp')) made.alg = value
    else if (part === 'nat' || part.startsWith('nat(')) made.nat = parseNat(parseCall(part).inside)
    else if (part.startsWith('exec(')) made.exec = actions(parseCall(part).inside ?? '')
    else throw new FlowError('unknown-action', part, `unknown part "${part}" of ct()`)
  }
  return made
}

function setZone(made: Mutable<CtAction>, text: string): void {
  const zone = /^\d/.test(text) ? parseUint(text, 16) : parseSubfield(text)
  if (zone !== 0) made.zone = zone
}

function parseNat(inside: string | undefined): Nat {
  if (inside === undefined || inside === '') return {}
  const made: Mutable<Nat> = {}
  for (const part of splitOutside(inside, ', ')) {
    const { key, value } = keyValue(part)
    if (key === 'src' || key === 'dst') Object.assign(made, { kind: key }, value === undefined ? {} : parseRange(value))
    else if (part === 'persistent' || part === 'hash' || part === 'random') made[part] = true
    else throw new FlowError('unknown-action', part, `unknown part "${part}" of nat()`)
  }
  return made
}

const V4 = /^(\d+\.\d+\.\d+\.\d+)(?:-(\d+\.\d+\.\d+\.\d+))?(?::(\d+)(?:-(\d+))?)?$/
const V6 = /^\[?([0-9a-fA-F:.]+)\]?(?:-\[?([0-9a-fA-F:.]+)\]?)?$/
const V6_PORTS = /^\[([0-9a-fA-F:.]+)\](?:-\[([0-9a-fA-F:.]+)\])?:(\d+)(?:-(\d+))?$/

/** `1.2.3.4-1.2.3.9:80-90`, `[::1]-[::9]:80`, `::1-::9`. */
function parseRange(text: string): Nat {
  const v4 = V4.exec(text)
  const found = v4 ?? V6_PORTS.exec(text) ?? V6.exec(text)
  if (found === null) throw badValue(text, 'not a range of addresses and ports')
  const address = v4 === null ? parseIp6 : parseIp4
  const [, min = '', max, portMin, portMax] = found
  const out: Mutable<Nat> = { family: v4 === null ? 6 : 4, min: address(min) }
  if (max !== undefined && address(max) !== out.min) out.max = address(max)
  if (portMin !== undefined) out.port_min = parseUint(portMin, 16)
  if (portMax !== undefined && portMax !== portMin) out.port_max = parseUint(portMax, 16)
  return out
}
