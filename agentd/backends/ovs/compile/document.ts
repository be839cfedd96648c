import type { Compiled } from '../../backend.ts'
import { formatActions } from '../flow/format-actions.ts'
import { formatMatch } from '../flow/format-match.ts'
import type { Flow } from '../flow/types.ts'
import { isHeard, TABLES, type Table } from './pipeline.ts'
import { REGISTERS } from './registers.ts'
import type { TableName } from './tables.ts'
import type { OvsValue } from './values.ts'

/** The generated half of docs/PIPELINE.md: registers and tables as they are declared, each table with a flow out of `examples`. Markdown. */
export function pipelineDocument(examples: readonly Compiled[]): string {
  const flows = examples.flatMap((c) => [...c.items.values()]).flatMap((item) => flowOf(item.value as OvsValue))
  return `${[registerTable(), ...TABLES.map((t) => section(t, exampleOf(t, flows)))].join('\n\n')}\n`
}

function registerTable(): string {
  const rows = REGISTERS.map((r) => `| \`${r.name}\` | \`${r.field}[${r.start}..${r.start + r.bits - 1}]\` | ${r.says} |`)
  return ['| name | bits | what it says |', '|---|---|---|', ...rows].join('\n')
}

function section(t: Table, example: string | undefined): string {
  const jumps = t.jumps.length === 0 ? [] : [`goes on in ${t.jumps.map((name) => `\`${name}\``).join(', ')}`]
  const does = [...jumps, ...(t.outputs ? ['hands frames to ports'] : []), ...t.learns.map((name) => `learns into \`${name}\``)]
  return [
    `### ${t.number} ${t.name}`,
    '',
    `Arrives: ${t.arrives}  `,
    `Leaves: ${t.leaves}`,
    '',
    '```',
    example ?? (isHeard(t.number) ? HEARD_EXAMPLES[t.name] : undefined) ?? 'no flow of the examples is here',
    '```',
    '',
    `Matches ${t.matches.map((place) => `\`${place}\``).join(', ')}; sets ${t.sets.length === 0 ? 'nothing' : t.sets.map((place) => `\`${place}\``).join(', ')}${does.length === 0 ? '' : `; ${does.join('; ')}`}.`,
  ].join('\n')
}

/** What frames left behind, as dumped. */
const HEARD_EXAMPLES: Readonly<Partial<Record<TableName, string>>> = {
  learned: 'hard_timeout=300, priority=50,metadata=0xf45da6,dl_dst=02:00:00:00:00:66 actions=load:0x10b799aa->NXM_NX_REG2[]',
  snooping: 'hard_timeout=10, priority=10 actions=goto_table:79',
  snooped: 'priority=40,ip,reg0=0x40/0xc0,reg2=0x10b799aa,metadata=0xf45da6,nw_dst=239.1.2.3 actions=goto_table:80',
}

/** The most telling flow: one that belongs to a port or a network before one that every host has. */
function exampleOf(t: Table, flows: readonly { readonly flow: Flow; readonly shared: boolean }[]): string | undefined {
  const mine = flows.filter(({ flow }) => flow.table === t.number && flow.priority > 0)
  const best = mine.find(({ shared }) => !shared) ?? mine[0]
  if (best === undefined) return undefined
  const match = formatMatch(best.flow.match)
  return `priority=${best.flow.priority}${match === '' ? '' : `,${match}`} actions=${formatActions(best.flow.actions)}`
}

function flowOf(value: OvsValue): { readonly flow: Flow; readonly shared: boolean }[] {
  return value.kind === 'flow'
    ? [
        {
          flow: value.flow,
          shared:
            value.flow.match.metadata === undefined &&
            value.flow.match.reg1 === undefined &&
            value.flow.match.reg2 === undefined &&
            value.flow.match.in_port === undefined,
        },
      ]
    : []
}
