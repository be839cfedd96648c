import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/**
 * What `npm test` runs, after the set-up: the house checks, then every test, then a look at what the tests left on the machine. The last
 * line is `N passed, N failed, N skipped`. Arguments narrow the tests: `node build/test/run.js lab/loss` runs those whose file contains it.
 */
interface Counts {
  passed: number
  failed: number
  skipped: number
}

const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
const failures: string[] = []
/** What ava says of failures; said again at the very end, since whoever keeps a part of the output keeps that. */
const accounts: string[] = []
const MOST_ACCOUNTS = 120
const started = performance.now()
const only = process.argv.slice(2)
/** Letters of this run: tests put them at the front of every name they give to something on the machine. */
const run = `t${process.pid.toString(36).slice(-3)}`

function report(outcome: keyof Counts, title: string): void {
  counts[outcome]++
  if (outcome === 'failed') failures.push(title)
  process.stdout.write(`${{ passed: '✔', failed: '✘', skipped: '-' }[outcome]} ${title}\n`)
}

/** A check that is a program: its output is shown when it ends with an error. */
async function check(title: string, argv: readonly string[]): Promise<void> {
  const begun = performance.now()
  const { code, output } = await runProgram(argv)
  if (code !== 0) process.stdout.write(`${output.trimEnd()}\n`)
  report(code === 0 ? 'passed' : 'failed', `house › ${title} (${seconds(begun)})`)
}

function runProgram(argv: readonly string[]): Promise<{ code: number; output: string }> {
  const [name = '', ...args] = argv
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [`node_modules/${name}`, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text: Buffer) => {
        output += text.toString()
      })
    }
    child.on('error', (error) => resolve({ code: 1, output: error.message }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** Test files as ava names them. Those called `*.alone.test.js` measure time or loss on the wire, and run one at a time at the end. */
async function testFiles(): Promise<{ together: string[]; alone: string[] }> {
  const all = (await readdir('build/test', { recursive: true })).filter((f) => f.endsWith('.test.js')).sort()
  const files = all.filter((f) => only.length === 0 || only.some((word) => f.includes(word))).map((f) => `build/test/${f}`)
  return { together: files.filter((f) => !f.endsWith('.alone.test.js')), alone: files.filter((f) => f.endsWith('.alone.test.js')) }
}

/**
 * Runs ava and passes its words on as they come: one line per test, the accounts of failures at the end. (Not its TAP: ava 7's writer of that dies of an
 * error that has an undefined property, and the failure is never told.)
 */
async function runAva(files: readonly string[], concurrency: number, temp: string): Promise<void> {
  if (files.length === 0) return
  const before = { ...counts }
  const args = ['node_modules/ava/entrypoints/cli.mjs', '--no-color', '--concurrency', String(concurrency), ...files]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: temp, NETLOOM_TEST_RUN: run },
  })
  // ava names the file before a test's title only when it runs several.
  const prefix = files.length === 1 ? `${files[0]?.slice('build/test/'.length, -'.test.js'.length).split('/').join(' › ')} › ` : ''
  createInterface({ input: child.stdout }).on('line', (line) => onLine(line, prefix))
  const code = await new Promise<number>((resolve) => child.on('close', (c) => resolve(c ?? 1)))
  // A crash, a time-out or a file without tests: whatever ava calls a failure is one, also when no line said so.
  if (code !== 0 && counts.failed === before.failed) report('failed', `ava ended with ${code}`)
  if (counts.passed + counts.failed === before.passed + before.failed) report('failed', 'ava ran no test at all')
}

const OUTCOMES = { '✔': 'passed', '✘': 'failed', '-': 'skipped' } as const

/** `✔ title (1s)`, `✘ [fail]: title message`, `- [skip] title`, `- [todo] title`; everything else is passed on, ava's own closing counts aside. */
function onLine(line: string, prefix: string): void {
  const point = /^ {2}(✔|✘|-(?= \[(?:skip|todo)\])) (?:\[(?:fail|skip|todo)\]:? )?(\S.*)$/u.exec(line)
  const outcome = OUTCOMES[point?.[1] as keyof typeof OUTCOMES]
  if (point !== null && outcome !== undefined) report(outcome, prefix + (point[2] ?? ''))
  else if (line.trim() !== '' && !/^\s*(─|\d+ tests? (passed|failed|skipped|todo))/u.test(line)) {
    process.stdout.write(`  ${line}\n`)
    if (counts.failed > 0 && !line.trimStart().startsWith('ℹ')) accounts.push(line)
  }
}

/** What tests have left: namespaces, links and labs with this run's letters, and processes that use its temporary folder. */
async function leftovers(temp: string): Promise<string[]> {
  const names = async (dir: string): Promise<string[]> => await readdir(dir).catch(() => [])
  const found = [
    ...(await names('/run/netns')).filter((n) => isOfRun(n)).map((n) => `namespace ${n}`),
    ...(await names('/sys/class/net')).filter((n) => isOfRun(n)).map((n) => `link ${n}`),
    ...(await names('/run/netloom-lab')).filter((n) => isOfRun(n)).map((n) => `/run/netloom-lab/${n}`),
  ]
  for (const pid of await names('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '')
    if (words.includes(temp) || cwd.startsWith(temp)) found.push(`process ${pid}: ${words.split('\0').join(' ').trim().slice(0, 120)}`)
  }
  return found.sort()
}

function isOfRun(name: string): boolean {
  return name.startsWith(run) || name.includes(`-${run}`)
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}

const temp = await mkdtemp(join(tmpdir(), 'nl-'))
const { together, alone } = await testFiles()
if (only.length === 0) {
  await check('formatted and linted (biome)', ['@biomejs/biome/bin/biome', 'check', '.'])
  await check('no promise is lost (eslint)', ['eslint/bin/eslint.js', '.'])
  await check('nothing is there that nobody uses (knip)', ['knip/bin/knip.js', '--no-progress'])
}
await runAva(together, 3, temp)
await runAva(alone, 1, temp)
const left = await leftovers(temp)
for (const thing of left) process.stdout.write(`  left behind: ${thing}\n`)
report(left.length === 0 ? 'passed' : 'failed', 'house › the tests left nothing behind')
await rm(temp, { recursive: true, force: true })

if (failures.length > 0) {
  process.stdout.write(`\nFailed:\n${failures.map((f) => `  ${f}\n`).join('')}`)
  for (const line of accounts.slice(-MOST_ACCOUNTS)) process.stdout.write(`  ${line}\n`)
}
process.stdout.write(`\n${together.length + alone.length} test files in ${seconds(started)}\n`)
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
process.exitCode = counts.failed === 0 ? 0 : 1
