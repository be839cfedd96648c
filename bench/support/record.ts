import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { arch, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Figure, isMet, numberText, targetText } from './figures.ts'
import { markdownTable } from './table.ts'

export interface Outcome {
  readonly name: string
  readonly title: string
  readonly about: string
  readonly figures: readonly Figure[]
  readonly failures: readonly string[]
  /** Load average (1 min) before and after. */
  readonly load: readonly number[]
}

/** bench/ in the sources: this file runs from build/bench/support. */
const FOLDER = fileURLToPath(new URL('../../../bench/', import.meta.url))

/** `bench/results/<date>-<host kind>.json` and, for a whole run, `bench/RESULTS.md`. */
export async function record(
  outcomes: readonly Outcome[],
  { quick, whole }: { readonly quick: boolean; readonly whole: boolean },
): Promise<void> {
  const machine = describeMachine()
  const date = new Date().toISOString().slice(0, 16)
  await mkdir(join(FOLDER, 'results'), { recursive: true })
  const name = `${date.replace(/[-:]/g, '').replace('T', '-')}-${machine.kind}${quick ? '-quick' : ''}.json`
  await writeFile(join(FOLDER, 'results', name), `${JSON.stringify({ date, machine, quick, outcomes }, undefined, 1)}\n`)
  const page = whole && !quick
  if (page) await writeFile(join(FOLDER, 'RESULTS.md'), markdown(date, machine, outcomes))
  console.log(`\nrecorded in bench/results/${name}${page ? ' and bench/RESULTS.md' : ''}`)
}

export function missedTargets(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.flatMap((o) =>
    o.figures
      .filter((f) => isMet(f) === false)
      .map((f) => `${o.title}, ${f.at}, ${f.what}: ${numberText(f.median)} ${f.unit} (${targetText(f)})`),
  )
}

interface Machine {
  readonly kind: string
  readonly cpu: string
  readonly memoryGb: number
  readonly kernel: string
  readonly node: string
  readonly ovs: string
}

function describeMachine(): Machine {
  const cores = cpus()
  return {
    kind: `${cores.length}cpu-${arch()}`,
    cpu: `${cores.length} × ${cores[0]?.model ?? 'unknown'}`,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    ovs: ovsVersion(),
  }
}

function ovsVersion(): string {
  try {
    return execFileSync('ovs-vswitchd', ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? ''
  } catch {
    return 'none'
  }
}

function markdown(date: string, machine: Machine, outcomes: readonly Outcome[]): string {
  const head = [
    '# Measured',
    '',
    `${date} UTC, ${machine.cpu}, ${machine.memoryGb} GB, Linux ${machine.kernel}, Node ${machine.node}, ${machine.ovs}.`,
    'Made by `npm run bench`. "Times" is how many times the floor it takes; the floor is measured in the same run, so the ratio holds where absolutes do not:',
    'with a load average above the number of processors every time is longer than on a calm machine.',
  ]
  const parts = outcomes.map((o) =>
    [
      `## ${o.title}`,
      '',
      `${o.about} Load average ${o.load.map((l) => l.toFixed(1)).join(' → ')}.`,
      '',
      markdownTable(o.figures),
      ...o.failures.map((f) => `\nFailed: ${f}`),
    ].join('\n'),
  )
  return `${[head.join('\n'), ...parts].join('\n\n')}\n`
}
