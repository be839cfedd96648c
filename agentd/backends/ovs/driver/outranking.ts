import { count } from '../../../../src/lib/text.ts'
import type { Harm } from '../../backend.ts'
import { BRIDGE } from '../compile/names.ts'
import { tableByNumber } from '../compile/pipeline.ts'
import type { FieldName } from '../flow/fields.ts'
import { formatMatch } from '../flow/format-match.ts'
import type { FieldValue, Flow, Match } from '../flow/types.ts'

export interface KeyedFlow {
  readonly key: string
  readonly flow: Flow
}

/**
 * What a flow of another hand keeps from ours: it stands in a table of ours, at or above the priority of flows that it overlaps. Between equal priorities OVS may choose either.
 * Undefined: it takes nothing that a flow of ours is for. Frames of ports that nobody declared are for none, though the classifier has a flow that drops them. `own`: our flows of the same table.
 */
export function harmOf(foreign: Flow, own: readonly KeyedFlow[]): Harm | undefined {
  const below = own.filter(({ flow }) => flow.priority <= foreign.priority)
  const spoiled = below.filter(({ flow }) => covers(foreign.match, flow.match))
  const grazed = below.filter(({ flow }) => !isFirstDefault(flow) && overlaps(foreign.match, flow.match))
  if (spoiled.length === 0 && grazed.length === 0) return undefined
  const text = formatMatch(foreign.match)
  const name = `table=${foreign.table},priority=${foreign.priority}${text === '' ? '' : `,${text}`}`
  const verb = foreign.actions.length === 0 ? 'drops' : 'takes'
  const all = foreign.table === 0 && text === '' && spoiled.length === own.length
  const what = all ? `all frames of this host` : framesOf(grazed.length, foreign.table)
  return {
    cause: `a flow of others on ${BRIDGE} ${verb} ${what}: ovs-ofctl --strict del-flows ${BRIDGE} "${name}"`,
    spoils: spoiled.map(({ key }) => key),
  }
}

function framesOf(flows: number, table: number): string {
  if (flows === 0) return 'frames that no flow of ours lets in'
  return `frames that ${count(flows, 'flow')} of ours in table ${tableByNumber(table)?.name} ${flows === 1 ? 'is' : 'are'} for`
}

function isFirstDefault({ table, match, actions }: Flow): boolean {
  return table === 0 && actions.length === 0 && Object.keys(match).length === 0
}

/** Every frame that `inner` matches is matched by `outer`. */
function covers(outer: Match, inner: Match): boolean {
  return fieldsOf(outer).every(([name, { value, mask }]) => {
    const other = inner[name]
    if (other === undefined) return false
    if (mask === undefined) return other.mask === undefined && other.value === value
    return (other.mask === undefined || (mask & ~other.mask) === 0n) && (other.value & mask) === value
  })
}

/** Some frame may match both. */
function overlaps(a: Match, b: Match): boolean {
  return fieldsOf(a).every(([name, one]) => {
    const other = b[name]
    if (other === undefined) return true
    const differ = one.value ^ other.value
    return (differ & (one.mask ?? differ) & (other.mask ?? differ)) === 0n
  })
}

function fieldsOf(match: Match): readonly (readonly [FieldName, FieldValue])[] {
  return Object.entries(match) as [FieldName, FieldValue][]
}
