import { readdir, readFile, readlink, rm, rmdir, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { LabError } from './errors.ts'
import { assertTag, LAB_ROOT, labDir, netnsPrefix } from './names.ts'
import { tryRun } from './run.ts'

/** Everything of a lab that exists on this machine, found by its tag, whatever the lab's own record says. */
export interface Remains {
  readonly netns: readonly string[]
  readonly processes: readonly { readonly pid: number; readonly argv: readonly string[] }[]
  readonly folder: boolean
}

/** Programs that a lab starts with its folder in their arguments. Only these are ended outside the lab's namespaces: an editor or a pager on a log is not ours. */
const OURS: ReadonlySet<string> = new Set(['sh', 'ip', 'nsenter', 'unshare', 'ovsdb-server', 'ovs-vswitchd', 'ovs-vsctl', 'ovsdb-tool'])
/** The lab's own agents and server, by program and argument: they are found even where the namespace they run in has lost its name. */
const OUR_SCRIPTS: readonly (readonly string[])[] = [
  ['/agentd/main.js', '--state-dir'],
  ['/cli/main.js', 'serve'],
]
/** How long a program inside a namespace (an agent, say) may take to end by itself. */
const GRACE_MS = 2000
const ROUNDS = 20

export async function findRemains(tag: string): Promise<Remains> {
  assertTag(tag)
  const prefix = netnsPrefix(tag)
  const netns = (await readdir('/run/netns').catch(() => [])).filter((n) => n.startsWith(prefix)).sort()
  const folder = await exists(labDir(tag))
  return { netns, processes: await findProcesses(tag, netns), folder }
}

export function isClean(remains: Remains): boolean {
  return remains.netns.length === 0 && remains.processes.length === 0 && !remains.folder
}

/**
 * Removes everything of a lab: processes, namespaces (the links go with them), folder. Works from any half-made state, because nothing
 * is believed that was written down: a script that was still running is ended first, then the rest is looked for until none is found.
 * @throws LabError `left_behind` when something cannot be removed.
 */
export async function sweep(tag: string): Promise<Remains> {
  const first = await findRemains(tag)
  let remains = first
  for (let round = 0; !isClean(remains); round++) {
    if (round === ROUNDS) throw new LabError('left_behind', `cannot remove all of lab ${tag}: ${describeRemains(remains)}`)
    await endProcesses(tag, remains)
    for (const name of remains.netns) await tryRun(['ip', 'netns', 'del', name])
    await rm(labDir(tag), { recursive: true, force: true })
    remains = await findRemains(tag)
    if (round > 1 && !isClean(remains)) await sleep(50)
  }
  await removeIfEmpty(LAB_ROOT)
  return first
}

export function describeRemains(remains: Remains): string {
  const parts = [
    ...remains.netns.map((n) => `namespace ${n}`),
    ...remains.processes.map((p) => `process ${p.pid} (${p.argv.slice(0, 3).join(' ')})`),
    ...(remains.folder ? ['its folder'] : []),
  ]
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

async function endProcesses(tag: string, remains: Remains): Promise<void> {
  // Open vSwitch asked politely would take its time to no use; programs of others (an agent, a shell) may have something to put away.
  const polite = remains.processes.filter((p) => !OURS.has(programOf(p.argv)))
  for (const p of remains.processes) kill(p.pid, polite.includes(p) ? 'SIGTERM' : 'SIGKILL')
  const until = Date.now() + GRACE_MS
  let left = remains.processes
  while (left.length > 0) {
    if (Date.now() > until) for (const p of left) kill(p.pid, 'SIGKILL')
    await sleep(10)
    left = await findProcesses(tag, remains.netns)
    if (Date.now() > until + GRACE_MS) return
  }
}

async function findProcesses(tag: string, netns: readonly string[]): Promise<{ pid: number; argv: readonly string[] }[]> {
  const inodes = new Set<string>()
  for (const name of netns) {
    const info = await stat(`/run/netns/${name}`).catch(() => undefined)
    if (info !== undefined) inodes.add(`net:[${info.ino}]`)
  }
  const spared = await selfAndAncestors()
  const found: { pid: number; argv: readonly string[] }[] = []
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid) || spared.has(pid)) continue
    const argv = await argvOf(pid)
    if (argv.length === 0) continue
    const inside = inodes.size > 0 && inodes.has(await readlink(`/proc/${pid}/ns/net`).catch(() => ''))
    if (inside || (isOurs(argv) && argv.some((word) => mentions(word, tag)))) found.push({ pid, argv })
  }
  return found
}

function isOurs(argv: readonly string[]): boolean {
  const [, script = ''] = argv
  return OURS.has(programOf(argv)) || OUR_SCRIPTS.some(([path = '', word = '']) => script.endsWith(path) && argv.includes(word))
}

function mentions(word: string, tag: string): boolean {
  const dir = labDir(tag)
  return word === dir || word.includes(`${dir}/`) || word.includes(netnsPrefix(tag))
}

function programOf(argv: readonly string[]): string {
  return (argv[0] ?? '').split('/').at(-1) ?? ''
}

/** Empty for a kernel thread, a zombie and a process that has just ended. */
async function argvOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return text === '' ? [] : text.replace(/\0$/, '').split('\0')
}

async function selfAndAncestors(): Promise<Set<number>> {
  const pids = new Set<number>()
  for (let pid = process.pid; pid > 0 && !pids.has(pid); ) {
    pids.add(pid)
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    pid = Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0)
  }
  return pids
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** rmdir, not a recursive removal: another lab may be putting its folder there at this moment. */
async function removeIfEmpty(dir: string): Promise<void> {
  await rmdir(dir).catch(() => {})
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}
