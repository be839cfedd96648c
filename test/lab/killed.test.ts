import { spawn } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { labDown, labUp } from '../../src/lab/lab.ts'
import { hostDir } from '../../src/lab/names.ts'
import { labStatus } from '../../src/lab/status.ts'
import { findRemains, isClean } from '../../src/lab/sweep.ts'
import { testTag } from '../support/tag.ts'
import { guest, host } from './support.ts'

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
