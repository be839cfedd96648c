import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { runChild, serveParent } from './support/child.ts'
import { type Figure, figure, type Target } from './support/figures.ts'
import { changeLines, openPlanner } from './support/planner.ts'
import { portFile, type RepoSize, writeRepo } from './support/repo-files.ts'
import { type Lap, stopwatch } from './support/stopwatch.ts'

// Reading, validating and planning a repo of a given size: from nothing, again with state and cache there, and after one changed line. Floor: each file read and
// parsed by the yaml package, nothing more.

export interface RepoParams extends RepoSize {
  readonly stage?: 'floor' | 'cold' | 'warm'
  readonly dir?: string
  readonly lines?: number
}

interface Stage {
  readonly laps: Readonly<Record<string, Lap>>
  readonly samples?: Readonly<Record<string, readonly number[]>>
  readonly peakMb: number
}

serveParent(async (params: RepoParams): Promise<readonly Figure[] | Stage> => {
  const { stage, dir } = params
  if (stage === undefined || dir === undefined) return await everyStage(params)
  const laps = stage === 'floor' ? plainParse(dir) : stage === 'cold' ? await fromNothing(dir) : await warm(dir, params.lines ?? 10)
  return { ...laps, peakMb: process.resourceUsage().maxRSS / 1024 }
})

async function everyStage(params: RepoParams): Promise<readonly Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'netloom-bench-'))
  try {
    writeRepo(join(dir, 'repo'), params)
    const run = async (stage: NonNullable<RepoParams['stage']>): Promise<Stage> => await runChild<Stage>('repo', { ...params, stage, dir })
    const floor = await run('floor')
    const cold = await run('cold')
    return figuresOf(params, floor, cold, await run('warm'))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function plainParse(dir: string): Pick<Stage, 'laps'> {
  const watch = stopwatch()
  const repo = join(dir, 'repo')
  for (const name of readdirSync(repo)) parse(readFileSync(join(repo, name), 'utf8'))
  watch.lap('total')
  return { laps: watch.laps() }
}

async function fromNothing(dir: string): Promise<Pick<Stage, 'laps'>> {
  const watch = stopwatch()
  const planner = await openPlanner(dir, watch)
  await planner.commit()
  watch.lap('commit')
  await planner.close()
  return { laps: watch.laps() }
}

async function warm(dir: string, lines: number): Promise<Pick<Stage, 'laps' | 'samples'>> {
  const watch = stopwatch()
  const planner = await openPlanner(dir, watch)
  if (planner.changes !== 0) throw new Error(`a second plan of the same repo has ${planner.changes} changes`)
  const file = join(dir, 'repo', portFile(0))
  const text = readFileSync(file, 'utf8')
  const samples = await changeLines(planner, lines, (n) => writeFileSync(file, `${text}  extra-${n}: { network: net-0, host: far-1 }\n`))
  await planner.close()
  return { laps: watch.laps(), samples }
}

function figuresOf(params: RepoParams, floor: Stage, cold: Stage, again: Stage): readonly Figure[] {
  const at = `${params.ports.toLocaleString('en')} ports in ${Math.ceil(params.ports / params.perFile).toLocaleString('en')} files`
  const whole = params.ports >= 100_000
  const single = params.perFile >= params.ports
  const target = (atMost: number): { readonly target?: Target } => (whole ? { target: { atMost } } : {})
  const total = floor.laps['total']
  const plain = { floor: { what: 'read and yaml.parse', value: (total?.wall ?? 0) / 1000 } }
  const seconds = (stage: Stage, ...names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (stage.laps[name]?.wall ?? 0), 0) / 1000
  const cpu = (stage: Stage): number => ['open', 'read', 'step', 'plan'].reduce((sum, n) => sum + (stage.laps[n]?.cpu ?? 0), 0) / 1000
  const PLAN = ['open', 'read', 'step', 'plan']
  return [
    figure(at, 'cold: read and parse', 's', [seconds(cold, 'read')], plain),
    figure(at, 'cold: validate (check, resolve, lower)', 's', [seconds(cold, 'step')]),
    figure(at, 'cold: validate, CPU', 's', [(cold.laps['step']?.cpu ?? 0) / 1000]),
    figure(at, 'cold: plan', 's', [seconds(cold, 'plan')]),
    figure(at, 'cold: plan, CPU', 's', [(cold.laps['plan']?.cpu ?? 0) / 1000]),
    figure(at, 'cold: all to a plan', 's', [seconds(cold, ...PLAN)], { ...plain, ...target(single ? 45 : 20) }),
    figure(at, 'cold: CPU', 's', [cpu(cold)], { floor: { what: 'read and yaml.parse, CPU', value: (total?.cpu ?? 0) / 1000 } }),
    figure(at, 'cold: commit', 's', [seconds(cold, 'commit')]),
    figure(at, 'cold: peak memory', 'MB', [cold.peakMb], {
      floor: { what: 'read and yaml.parse', value: floor.peakMb },
      ...target(single ? 2500 : 1000),
    }),
    figure(at, 'warm: state loaded', 's', [seconds(again, 'open')]),
    figure(at, 'warm: CPU', 's', [cpu(again)]),
    figure(at, 'warm: all to "no changes"', 's', [seconds(again, ...PLAN)], { ...plain, ...(single ? {} : target(5)) }),
    figure(at, 'warm: peak memory', 'MB', [again.peakMb]),
    figure(at, 'one line: read', 'ms', again.samples?.['read'] ?? []),
    figure(at, 'one line: step and plan', 'ms', again.samples?.['plan'] ?? []),
    figure(at, 'one line: commit', 'ms', again.samples?.['commit'] ?? []),
    // One file of everything is read whole for each line of it: stated, not judged.
    figure(at, 'one line: all', 'ms', again.samples?.['all'] ?? [], single ? {} : target(300)),
  ]
}
