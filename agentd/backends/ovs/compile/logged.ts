import type { GroupRule, PortLogIntent, RateLimit } from '../../../../src/model/intent.ts'
import type { Key } from '../../../../src/model/key.ts'
import type { DropCause, Verdict } from '../../../../src/model/log-entry.ts'
import { ruleWords } from '../../../../src/model/rule-words.ts'
import type { Item } from '../../backend.ts'
import { flowItem } from './build.ts'
import { cookieOf } from './cookie.ts'
import { loggedParts } from './filter.ts'
import { meterItem } from './meters.ts'
import type { Numbers } from './numbers.ts'
import { loggedRules } from './policy.ts'
import { target } from './registers.ts'
import { tell } from './traps.ts'
import type { HostView } from './view.ts'

/*
 * Security group logging. Ports of which something is logged are under a set of rules of their own; its flows send copies of packets to the agent, each with what was done with it. Whose packet it
 * is, and the rule that lets it pass, come along in registers.
 */

export const VERDICTS: readonly Verdict[] = ['ACCEPT', 'DROP']
const DIRECTIONS: readonly GroupRule['direction'][] = ['egress', 'ingress']
/** By the number that a flow gives. */
const CAUSES: readonly (DropCause | undefined)[] = [undefined, 'no rule', 'refused', 'invalid']

/** What is kept of a packet: its headers. */
const HEADERS = 128

/** What a flow says of a packet that it sends here. */
export interface Said {
  readonly direction: GroupRule['direction']
  /** Absent: it was let pass. */
  readonly cause?: DropCause
}

function saying({ direction, cause }: Said): Uint8Array {
  return Uint8Array.of(CAUSES.indexOf(cause), DIRECTIONS.indexOf(direction))
}

/** The other way; undefined for what no flow of ours says. */
export function saidIn(data: Uint8Array): Said | undefined {
  const [c = CAUSES.length, d = DIRECTIONS.length] = data
  const direction = DIRECTIONS[d]
  const cause = CAUSES[c]
  if (direction === undefined || c >= CAUSES.length) return undefined
  return { direction, ...(cause === undefined ? {} : { cause }) }
}

function meterName(verdict: Verdict): string {
  return `log ${verdict}`
}

/** Names of the meters that hold the copies back, in the pool of numbers: what is dropped must not keep what is let pass from being told. */
export function logMeterNames(view: Pick<HostView, 'policies'>): readonly string[] {
  return VERDICTS.filter((v) => isLogged(view, v)).map(meterName)
}

function isLogged({ policies }: Pick<HostView, 'policies'>, verdict: Verdict): boolean {
  return [...policies.values()].some(({ logged }) => (verdict === 'ACCEPT' ? logged?.accept : logged?.drop) === true)
}

/** Flows of all sets of which something is logged, and the meters that these name. */
export function loggedItems(view: HostView, numbers: Numbers): readonly Item[] {
  const flows = [...view.policies.values()].flatMap(({ name, logged, stateful }): Item[] => {
    const [first] = logged?.logs ?? []
    if (logged === undefined || first === undefined) return []
    const copy = (said: Said) =>
      tell('log', {
        data: saying(said),
        max_len: HEADERS,
        meter: numbers.of('meter', meterName(said.cause === undefined ? 'ACCEPT' : 'DROP')),
      })
    const registers = { rules: numbers.of('rules', name) }
    return loggedParts({ ...logged, stateful, copy }).map((part) =>
      flowItem({ ...part, registers, cookie: cookieOf(first), owners: logged.logs }),
    )
  })
  return [...meterItems(view, numbers), ...flows]
}

function meterItems(view: HostView, numbers: Numbers): Item[] {
  const all = [...view.portLogs.values()]
  const [some] = all
  if (some === undefined) return []
  const { rate, burst } = some.limit
  return VERDICTS.filter((v) => isLogged(view, v)).map((verdict) => {
    const asking = all.flatMap((log) => (verdict === 'ACCEPT' ? log.accept : log.drop))
    const meter = numbers.of('meter', meterName(verdict))
    return meterItem([...new Set(asking)].sort(), { meter, unit: 'pktps', bands: [{ type: 'drop', rate, burst }] })
  })
}

/** What a driver needs to say what happened. */
export interface Logging {
  /** By `sender` and `target`. */
  readonly ports: ReadonlyMap<number, LoggedPort>
  /** By `rule`. */
  readonly rules: ReadonlyMap<number, LoggedRule>
  /** By number: what its meter holds back. */
  readonly meters: ReadonlyMap<number, Verdict>
  readonly limit: RateLimit
}

export interface LoggedPort extends Pick<PortLogIntent, 'port' | 'accept' | 'drop'> {
  readonly groups: readonly Key[]
}

export interface LoggedRule {
  readonly direction: GroupRule['direction']
  readonly group: Key
  readonly words: string
}

/** Undefined where nothing is logged. */
export function loggingOf(view: HostView, numbers: Numbers): Logging | undefined {
  const [some] = view.portLogs.values()
  if (some === undefined) return undefined
  const ports = view.attaches.flatMap(({ port, security_groups: groups }): [number, LoggedPort][] => {
    const log = view.portLogs.get(port)
    if (log === undefined || groups === undefined) return []
    return [[target('port', numbers.of('port', port)), { port, accept: log.accept, drop: log.drop, groups }]]
  })
  const rules = [...loggedRules(view.policies.values())].map(([name, { rule, owner }]): [number, LoggedRule] => [
    numbers.of('rule', name),
    { direction: rule.direction, group: owner, words: ruleWords(rule, owner) },
  ])
  const meters = VERDICTS.filter((v) => isLogged(view, v)).map((v): [number, Verdict] => [numbers.of('meter', meterName(v)), v])
  return { ports: new Map(ports), rules: new Map(rules), meters: new Map(meters), limit: some.limit }
}
