import type { Compiled } from '../../backend.ts'
import { tableByNumber } from './pipeline.ts'
import type { OvsValue } from './values.ts'

/** Everything a host would hold, as text that a person reads: rows and links, flows by table and falling priority, verdicts, numbers. Ends with a newline. */
export function listing(compiled: Compiled): string {
  const blocks: string[] = []
  const flows = new Map<number, { readonly priority: number; readonly line: string }[]>()
  for (const [key, item] of [...compiled.items].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const value = item.value as OvsValue
    const owners = `  # ${item.owners.join(' ')}`
    if (value.kind !== 'flow') blocks.push([key + owners, ...item.text.split('\n').map((line) => `  ${line}`)].join('\n'))
    else {
      const { table, priority } = value.flow
      flows.set(table, [...(flows.get(table) ?? []), { priority, line: `  ${item.text.replace(/ table=\d+,/, '')}${owners}` }])
    }
  }
  for (const [number, lines] of [...flows].sort(([a], [b]) => a - b)) {
    const sorted = lines.sort((a, b) => b.priority - a.priority || (a.line < b.line ? -1 : 1))
    blocks.push([`table ${number} ${tableByNumber(number)?.name ?? ''}`, ...sorted.map((l) => l.line)].join('\n'))
  }
  const verdicts = [...compiled.verdicts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, v]) => `  ${key} ${v.state}: ${v.cause}`)
  if (verdicts.length > 0) blocks.push(['verdicts', ...verdicts].join('\n'))
  const pools = Object.entries(compiled.allocations).map(
    ([pool, numbers]) =>
      `  ${pool}: ${Object.entries(numbers)
        .map(([name, n]) => `${name}=${n}`)
        .join(' ')}`,
  )
  if (pools.length > 0) blocks.push(['allocations', ...pools.sort()].join('\n'))
  return `${blocks.join('\n\n')}\n`
}
