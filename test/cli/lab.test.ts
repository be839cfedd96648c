import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { labTag } from '../../src/cli/lab.ts'
import { labStateFile } from '../../src/cli/lab-session.ts'
import { labDown } from '../../src/lab/lab.ts'
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
