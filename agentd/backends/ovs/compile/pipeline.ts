import { DECLARED, type Declaration, type Place, type TableName } from './tables.ts'

/**
 * One table. `build.ts` refuses a flow that matches, sets or jumps to anything that is not declared.
 */
export interface Table {
  readonly name: TableName
  readonly number: number
  readonly matches: readonly Place[]
  readonly sets: readonly Place[]
  /** Tables it may go on in, by goto or resubmit: always ones with a higher number. */
  readonly jumps: readonly TableName[]
  /** Tables before it, where a packet goes that has reached another router. Its hop limit, and the depth that Open vSwitch allows, end that. */
  readonly back: readonly TableName[]
  /** May hand frames to ports. */
  readonly outputs: boolean
  /** May keep connections. Where it looks one up, the frame goes on in one of `jumps`. */
  readonly tracks: boolean
  /** May hold frames against meters. */
  readonly meters: boolean
  /** May send copies to the agent. */
  readonly tells: boolean
  /** Tables into which its flows may learn. */
  readonly learns: readonly TableName[]
  readonly arrives: string
  readonly leaves: string
}

export const TABLES: readonly Table[] = (Object.entries(DECLARED) as [TableName, Declaration][])
  .map(([name, d]) => ({
    name,
    number: d.number,
    matches: d.matches,
    sets: d.sets ?? [],
    jumps: d.jumps ?? [],
    back: d.back ?? [],
    outputs: d.outputs ?? false,
    tracks: d.tracks ?? false,
    meters: d.meters ?? false,
    tells: d.tells ?? false,
    learns: d.learns ?? [],
    arrives: d.arrives,
    leaves: d.leaves,
  }))
  .sort((a, b) => a.number - b.number)
checkTables(TABLES)

const BY_NAME = Object.fromEntries(TABLES.map((t) => [t.name, t])) as Readonly<Record<TableName, Table>>
const BY_NUMBER: ReadonlyMap<number, Table> = new Map(TABLES.map((t) => [t.number, t]))

export function table(name: TableName): Table {
  return BY_NAME[name]
}

/** Undefined: not one of ours. */
export function tableByNumber(number: number): Table | undefined {
  return BY_NUMBER.get(number)
}

/** The table that the switch fills by itself. */
export const LEARNED: number = BY_NAME.learned.number

/** Tables that the agent fills with what it hears (`snoop-flows.ts`). */
export const SNOOPED: ReadonlySet<number> = new Set([BY_NAME.snooping.number, BY_NAME.snooped.number])

/** Whether what stands in a table follows from frames and not from intents: diff and drift leave it out. */
export function isHeard(table: number): boolean {
  return table === LEARNED || SNOOPED.has(table)
}

/** Throws when a number is used twice, a jump leads nowhere or backward, or a table leads nowhere at all. Runs when the module loads. */
export function checkTables(tables: readonly Table[]): void {
  const byName = new Map(tables.map((t) => [t.name, t]))
  if (new Set(tables.map((t) => t.number)).size !== tables.length) throw new Error('two tables have the same number')
  for (const t of tables) {
    if (t.number < 0 || t.number > 253) throw new Error(`table ${t.name}: ${t.number} is no table number`)
    for (const next of [...t.jumps, ...t.learns]) {
      const to = byName.get(next)
      if (to === undefined) throw new Error(`table ${t.name} jumps to ${next}, which does not exist`)
      if (to.number <= t.number) throw new Error(`table ${t.name} jumps backward to ${next}`)
    }
    for (const before of t.back) if (!byName.has(before)) throw new Error(`table ${t.name} goes back to ${before}, which does not exist`)
  }
}
