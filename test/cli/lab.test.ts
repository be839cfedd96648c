import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { labTag } from '../../src/cli/lab.ts'
import { labStateFile } from '../../src/cli/lab-session.ts'
import { labDown } from '../../src/lab/lab.ts'
import { findRemains } from '../../src/lab/sweep.ts'
import { netloom } from './netloom.ts'

const SAMPLE = fileURLToPath(new URL('../../../samples/01-three-hosts', import.meta.url))

test('netloom lab status --json says of hosts what netloom status --json says, and how their switches are', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-cli-lab-'))
  t.teardown(async () => {
    await labDown(labTag(dir))
    await rm(dir, { recursive: true, force: true })
  })
  await cp(SAMPLE, dir, { recursive: true })
  const before = JSON.parse((await netloom('lab', 'status', dir, '--json')).out) as { state: string; hosts: unknown[] }
  t.is(before.state, 'none')
  t.is((await netloom('lab', 'up', dir)).code, 0)

  const elsewhere = await netloom('status', dir)
  t.is(elsewhere.code, 1)
  t.true(elsewhere.err.includes('a lab is up for it') && elsewhere.err.endsWith(`fix: netloom lab status ${dir}\n`), elsewhere.err)
  const lab = JSON.parse((await netloom('lab', 'status', dir, '--json')).out) as Told & { guests: unknown[]; state: string }
  const plain = JSON.parse((await netloom('status', dir, '--state', labStateFile(labTag(dir)), '--json')).out) as Told
  t.is(lab.state, 'up')
  t.is(lab.revision, plain.revision)
  t.deepEqual(words(lab), words(plain))
  t.deepEqual(words(lab), [
    ['h1', 'Synced', 'Healthy'],
    ['h2', 'Synced', 'Healthy'],
    ['h3', 'Synced', 'Healthy'],
  ])
  t.deepEqual(lab.objects.map((o) => o.key).sort(), plain.objects.map((o) => o.key).sort())
  t.true(lab.hosts.every((h) => h.switch === 'running' && (h.memory_kb ?? 0) > 0))
})

test('after kill -9 of all that it started, netloom lab up says what it removed and starts again; what still runs is left alone', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-cli-lab-'))
  const tag = labTag(dir)
  t.teardown(async () => {
    await labDown(tag)
    await rm(dir, { recursive: true, force: true })
  })
  await cp(SAMPLE, dir, { recursive: true })
  const healthy = async (): Promise<boolean> => {
    const told = JSON.parse((await netloom('lab', 'status', dir, '--json')).out) as Told
    return told.hosts.length === 3 && told.hosts.every((h) => h.sync === 'Synced' && h.health === 'Healthy' && h.switch === 'running')
  }
  /** A busy machine may be late with a look at a switch, and is well again a moment later. */
  const soonHealthy = async (): Promise<boolean> => {
    for (let n = 0; n < 10; n++) if (await healthy()) return true
    return false
  }
  t.is((await netloom('lab', 'up', dir)).code, 0)
  await kill(tag, () => true)
  const again = await netloom('lab', 'up', dir)
  t.is(again.code, 0, again.err)
  t.regex(again.out + again.err, /removed leftovers namespace nl-/)
  t.true(await soonHealthy())

  await kill(tag, (argv) => argv.includes('serve') || (argv.includes('--state-dir') && argv.includes('h2')))
  const before = await pids(tag)
  const third = await netloom('lab', 'up', dir)
  t.is(third.code, 0, third.err)
  t.true(await soonHealthy())
  const after = await pids(tag)
  t.deepEqual(
    before.filter((pid) => !after.includes(pid)),
    [],
  )
  t.is(after.length, before.length + 2, 'a server and an agent')
})

async function pids(tag: string): Promise<readonly number[]> {
  return (await findRemains(tag)).processes.map((p) => p.pid)
}

async function kill(tag: string, which: (argv: readonly string[]) => boolean): Promise<void> {
  const victims = (await findRemains(tag)).processes.filter((p) => which(p.argv)).map((p) => p.pid)
  for (const pid of victims) process.kill(pid, 'SIGKILL')
  while ((await pids(tag)).some((pid) => victims.includes(pid))) await sleep(10)
}

interface Told {
  readonly revision: number
  readonly hosts: readonly {
    readonly host: string
    readonly sync: string
    readonly health: string
    readonly switch?: string
    readonly memory_kb?: number
  }[]
  readonly objects: readonly { readonly key: string }[]
}

function words(told: Told): string[][] {
  return told.hosts.map((h) => [h.host, h.sync, h.health])
}
