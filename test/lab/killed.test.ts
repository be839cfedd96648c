import { spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { daemonPid } from '../../src/lab/faults.ts'
import { type LabStep, labDown, labUp } from '../../src/lab/lab.ts'
import { hostDir, hostNetns } from '../../src/lab/names.ts'
import { run } from '../../src/lab/run.ts'
import { labStatus } from '../../src/lab/status.ts'
import { findRemains, isClean } from '../../src/lab/sweep.ts'
import { testTag } from '../support/tag.ts'
import { guest, host, startLab } from './support.ts'

const SPEC = { hosts: [host(1), host(2), host(3)], guests: [guest(1, 1), guest(2, 1), guest(3, 1)] }
const PROGRAM = fileURLToPath(new URL('./up-program.js', import.meta.url))

/** Starts `up` in a process of its own and ends it with SIGKILL at some moment; its children are left to run on. */
async function killUp(tag: string, moment: () => Promise<unknown>): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, tag, JSON.stringify(SPEC)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.on('close', resolve))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  await moment()
  child.kill('SIGKILL')
  await ended
}

// Up takes about 400 ms: these moments fall into the wire, the daemons' start, the bridges and the guests.
for (const after of [5, 40, 90, 150, 220, 300, 380]) {
  test.serial(`killed ${after} ms after it began, up leaves nothing that down does not find`, async (t) => {
    const tag = testTag()
    t.teardown(async () => {
      await labDown(tag)
    })
    await killUp(tag, async () => await sleep(after))
    await labDown(tag)
    t.true(isClean(await findRemains(tag)))
    // What a killed script's child had begun would show up now.
    await sleep(300)
    t.true(isClean(await findRemains(tag)))
  })
}

test.serial('up after a killed up makes the lab anew', async (t) => {
  const tag = testTag()
  t.teardown(async () => {
    await labDown(tag)
  })
  await killUp(tag, async () => {
    while ((await stat(`${hostDir(tag, 'h1')}/conf.db`).catch(() => undefined)) === undefined) await sleep(1)
  })
  t.is((await labStatus(tag)).state, 'half-made')
  await labUp(tag, SPEC)
  const status = await labStatus(tag)
  t.true(status.hosts.every((h) => h.switch === 'running'))
  t.true(status.guests.every((g) => g.interface === 'plugged'))
})

/** Every process of the lab dies at once, as when the machine's memory runs out; namespaces, links and files stay. */
async function killAll(tag: string): Promise<void> {
  const { processes } = await findRemains(tag)
  for (const { pid } of processes) process.kill(pid, 'SIGKILL')
  while ((await findRemains(tag)).processes.length > 0) await sleep(5)
}

for (const wire of ['bridge', 'ovs'] as const) {
  test.serial(`up finds a lab (wire: ${wire}) of which nothing runs any more, says so, and makes it anew`, async (t) => {
    const { tag } = await startLab(t, { ...SPEC, wire })
    await killAll(tag)
    const steps: LabStep[] = []
    await labUp(tag, { ...SPEC, wire }, (step) => steps.push(step))
    t.is(steps[0]?.what, 'removed leftovers')
    t.regex(steps[0]?.name ?? '', new RegExp(`namespace nl-${tag}-host-h1, `))
    const status = await labStatus(tag)
    t.true(status.hosts.every((h) => h.switch === 'running'))
    t.true(status.guests.every((g) => g.interface === 'plugged'))
  })
}

test.serial('up makes a single dead host anew, and leaves the others alone; another lab is not touched', async (t) => {
  const other = await startLab(t, SPEC)
  const lab = await startLab(t, SPEC)
  const pids = async (of: typeof lab) => await Promise.all(['h1', 'h2', 'h3'].map((h) => daemonPid(of, h, 'ovs-vswitchd')))
  const [before, beforeOther] = [await pids(lab), await pids(other)]
  process.kill(before[1] ?? 0, 'SIGKILL')
  while ((await daemonPid(lab, 'h2', 'ovs-vswitchd')) !== undefined) await sleep(5)
  const steps: LabStep[] = []
  await labUp(lab.tag, SPEC, (step) => steps.push(step))
  t.deepEqual(
    steps.map((s) => `${s.what} ${s.name}`),
    ['removed dead host h2: its ovs-vswitchd does not run', 'host h2', 'guests h2: 1'],
  )
  const after = await pids(lab)
  t.deepEqual([after[0], after[2]], [before[0], before[2]])
  t.true(after[1] !== undefined && after[1] !== before[1])
  t.deepEqual(await pids(other), beforeOther)
  t.true((await labStatus(lab.tag)).guests.every((g) => g.interface === 'plugged'))
})

test.serial('a host whose namespace was deleted by hand, the only one on its physical network, comes back', async (t) => {
  const spec = { ...SPEC, hosts: [host(1), { ...host(2), bridge_mappings: { physnet2: 'br-two' } }, host(3)] }
  const lab = await startLab(t, spec)
  const pids = await Promise.all((['ovs-vswitchd', 'ovsdb-server'] as const).map((d) => daemonPid(lab, 'h2', d)))
  await run(['ip', 'netns', 'del', hostNetns(lab.tag, 'h2')])
  const steps: LabStep[] = []
  await labUp(lab.tag, spec, (step) => steps.push(step))
  t.is(steps[0]?.name, `h2: namespace ${hostNetns(lab.tag, 'h2')} is gone`)
  t.true((await labStatus(lab.tag)).hosts.every((h) => h.switch === 'running'))
  const left = (await findRemains(lab.tag)).processes.map((p) => p.pid)
  t.deepEqual(
    left.filter((pid) => pids.includes(pid)),
    [],
    'what ran in it was ended',
  )
})
