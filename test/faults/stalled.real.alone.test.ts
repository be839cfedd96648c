import test from 'ava'
import type { StatusAnswer } from '../../src/cli/status.ts'
import { daemonPid, startVswitchd, stopVswitchd } from '../../src/lab/faults.ts'
import { type HostState, hostStates } from '../../src/server/render/fleet.ts'
import { netloom } from '../cli/netloom.ts'
import { Rig } from './rig.ts'

let rig: Rig
test.before(async () => {
  rig = await Rig.up()
})
test.after.always(async () => await rig?.close())

/** Throws when it does not run: a signal for process 0 is one for all of us. */
async function pidOf(daemon: 'ovs-vswitchd' | 'ovsdb-server'): Promise<number> {
  const pid = await daemonPid(rig.lab, 'h1', daemon)
  if (pid === undefined) throw new Error(`${daemon} of h1 does not run`)
  return pid
}

const stateOf = (a: StatusAnswer, host: string): HostState | undefined =>
  hostStates({ ...a.fleet, targets: new Map(a.fleet.targets) }).find((s) => s.host === host)

test.serial('a switch that ended is known at once, what it held is not counted, and it is well as soon as it is back', async (t) => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    await stopVswitchd(rig.lab, 'h1', signal)
    const ms = await rig.until(`h1 is stalled after ${signal}`, (a) => stateOf(a, 'h1')?.health === 'Stalled', 3000)
    const { out } = await netloom('status', rig.dir, '--state', rig.stateFile)
    const last = out.split('\n').find((line) => line.startsWith('Revision')) ?? ''
    t.log(`${signal}: Stalled after ${ms} ms; ${last}`)
    t.regex(out, /^h1 .*Stalled .*the switch does not answer, since \d s/m)
    t.regex(last, /(\d+) of (\d+) objects active; \d+ on h1 not known: its switch does not answer, since \d s\.$/)
    await startVswitchd(rig.lab, 'h1')
    const back = await rig.until('h1 is well', (a) => stateOf(a, 'h1')?.health === 'Healthy', 8000)
    t.log(`Healthy ${back} ms after vswitchd was up`)
    await rig.settled()
  }
  t.deepEqual(await rig.wrong(), [])
})

test.serial('a switch that hangs is stalled in a few seconds; so is one whose database hangs', async (t) => {
  for (const daemon of ['ovs-vswitchd', 'ovsdb-server'] as const) {
    const pid = await pidOf(daemon)
    process.kill(pid, 'SIGSTOP')
    try {
      const ms = await rig.until(`h1 is stalled: ${daemon}`, (a) => stateOf(a, 'h1')?.health === 'Stalled', 15_000)
      t.log(`${daemon} stopped: Stalled after ${ms} ms`)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    const back = await rig.until('h1 is well', (a) => stateOf(a, 'h1')?.health === 'Healthy', 10_000)
    t.log(`Healthy ${back} ms after it went on`)
  }
  await rig.settled()
  t.deepEqual(await rig.wrong(), [])
})

test.serial('a switch that is stalled and an agent that is stopped look different', async (t) => {
  const pid = await pidOf('ovs-vswitchd')
  const agent = rig.agentPid('h2')
  process.kill(pid, 'SIGSTOP')
  process.kill(agent, 'SIGSTOP')
  try {
    await rig.until(
      'h1 is stalled and h2 is missing',
      (a) => stateOf(a, 'h1')?.health === 'Stalled' && stateOf(a, 'h2')?.health === 'Missing',
      60_000,
    )
    const answer = await rig.status()
    const [h1, h2] = ['h1', 'h2'].map((h) => (answer === undefined ? undefined : stateOf(answer, h)))
    t.log(`h1: ${h1?.notes.join('; ')}; h2: ${h2?.notes.join('; ')}`)
    t.regex(h1?.notes[0] ?? '', /^the switch does not answer, since /)
    t.regex(h2?.notes[0] ?? '', /^not heard of for /)
  } finally {
    process.kill(pid, 'SIGCONT')
    process.kill(agent, 'SIGCONT')
  }
  await rig.settled()
  t.deepEqual(await rig.wrong(), [])
})
