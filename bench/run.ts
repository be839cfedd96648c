import { loadavg } from 'node:os'
import { BENCHMARKS, type Benchmark } from './benchmarks.ts'
import { runChild } from './support/child.ts'
import type { Figure } from './support/figures.ts'
import { missedTargets, type Outcome, record } from './support/record.ts'
import { plainTable } from './support/table.ts'

// npm run bench [-- NAME… --quick]: measures, prints a table per benchmark, and writes bench/results/<date>-<host kind>.json and bench/RESULTS.md.

async function main(argv: readonly string[]): Promise<number> {
  const quick = argv.includes('--quick')
  const names = argv.filter((a) => !a.startsWith('-'))
  const unknown = [
    ...names.filter((n) => !BENCHMARKS.some((b) => b.name === n)),
    ...argv.filter((a) => a.startsWith('-') && a !== '--quick'),
  ]
  if (unknown.length > 0) {
    console.error(`bench: unknown: ${unknown.join(' ')}; there are ${BENCHMARKS.map((b) => b.name).join(', ')}, and --quick`)
    return 1
  }
  const chosen = BENCHMARKS.filter((b) => names.length === 0 || names.includes(b.name))
  const outcomes: Outcome[] = []
  for (const benchmark of chosen) outcomes.push(await run(benchmark, quick))
  await record(outcomes, { quick, whole: chosen.length === BENCHMARKS.length })
  const failures = outcomes.flatMap((o) => o.failures)
  const missed = missedTargets(outcomes)
  for (const line of missed) console.log(`target missed: ${line}`)
  for (const failure of failures) console.error(`bench: failed: ${failure}`)
  console.log(
    missed.length === 0 && failures.length === 0 ? 'All targets met.' : `${missed.length} targets missed, ${failures.length} failures.`,
  )
  return failures.length === 0 ? 0 : 1
}

/** A case that fails is told and leaves the others. A missed target is a figure, not a failure: machines differ. */
async function run(benchmark: Benchmark, quick: boolean): Promise<Outcome> {
  const figures: Figure[] = []
  const failures: string[] = []
  const before = loadavg()
  console.log(`\n${benchmark.title}\n${benchmark.about}`)
  for (const params of benchmark.cases(quick)) {
    try {
      figures.push(...(await runChild<readonly Figure[]>(benchmark.name, params)))
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error))
    }
  }
  const load = [before[0] ?? 0, loadavg()[0] ?? 0]
  console.log(`${plainTable(figures)}\nload average ${load.map((l) => l.toFixed(1)).join(' → ')}`)
  return { name: benchmark.name, title: benchmark.title, about: benchmark.about, figures, failures, load }
}

process.exitCode = await main(process.argv.slice(2))
