import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import type { StatusAnswer } from '../../src/cli/status.ts'
import { hostDir } from '../../src/lab/names.ts'
import { made } from './repo.ts'
import { areGone, areMade, Rig } from './rig.ts'
import { differences, everything, flowsOf, flowTexts, linkNames, nextConfig, rewritten } from './switch.ts'

let rig: Rig
test.before(async () => {
  rig = await Rig.up(undefined, 'agents')
})
test.after.always(async () => await rig?.close())

/** Every host but `away` holds what it is to hold now. */
function othersThere(answer: StatusAnswer, away: string): boolean {
  const holds = (host: string, digest: string): boolean =>
    answer.fleet.agents.some((a) => a.host === host && a.digest === digest && a.converged)
  return answer.fleet.targets.every(([host, { digest }]) => host === away || holds(host, digest))
}

test.serial('agents that were started long before the server: all converged 5 s after it', async (t) => {
  await sleep(12_000)
  const lines = await Promise.all(rig.hosts.map(async (host) => (await rig.agentLog(host)).length))
  t.log(`log lines in 12 s without a server: ${lines.join(', ')}`)
  t.true(lines.every((n) => n <= 4))
  const began = performance.now()
  await rig.startServer()
  const up = performance.now()
  await rig.settled()
  const ms = Math.round(performance.now() - up)
  t.log(`converged ${ms} ms after the server answered, which took ${Math.round(up - began)} ms from its start`)
  t.true(ms <= 5000)
  t.deepEqual(await rig.wrong(), [])
})

for (const away of ['killed', 'killed, and its disk lost', 'frozen'] as const) {
  test.serial(`ports deleted while their host's agent was ${away} leave nothing over when it is back`, async (t) => {
    const before = await everything(rig)
    await rig.write('extra.yaml', made('h2'))
    await rig.follow()
    await rig.until('made is there', (a) => rig.isSettled(a) && areMade(a, 'h2'))
    const at = (await rig.status())?.fleet.revision ?? 0
    if (away === 'frozen') process.kill(rig.agentPid('h2'), 'SIGSTOP')
    else await rig.stopAgent('h2', 'SIGKILL')
    if (away === 'killed, and its disk lost') await rm(join(hostDir(rig.tag, 'h2'), 'agent'), { recursive: true })
    await rig.remove('extra.yaml')
    await rig.until('the others have forgotten them', (a) => a.fleet.revision > at && othersThere(a, 'h2'))
    t.true((await linkNames(rig, 'h2')).includes('nl-made-v'))
    if (away === 'frozen') process.kill(rig.agentPid('h2'), 'SIGCONT')
    else await rig.startAgent('h2')
    const ms = await rig.until('h2 has forgotten them, too', (a) => rig.isSettled(a) && othersThere(a, '') && areGone(a))
    t.log(`nothing left ${ms} ms after the agent was back`)
    t.deepEqual(differences(before, await everything(rig)), [])
    await rig.follow()
  })
}

test.serial('two revisions while an agent was away: it goes to the last one', async (t) => {
  const at = (await rig.status())?.fleet.revision ?? 0
  await rig.stopAgent('h2', 'SIGKILL')
  await rig.write('extra.yaml', made('h2'))
  await rig.follow()
  await rig.until('the first', (a) => a.fleet.revision === at + 1 && othersThere(a, 'h2'))
  await rig.write('extra.yaml', made('h2', '10.10.0.78', 'fa:16:3e:aa:bb:78'))
  await rig.until('the second', (a) => a.fleet.revision === at + 2 && othersThere(a, 'h2'))
  t.log(`at the second ${await rig.agentBack('h2')} ms after its start`)
  await rig.until('made as in the second', (a) => areMade(a, 'h2'))
  const flows = (await flowTexts(rig, 'h2')).join('\n')
  t.true(flows.includes('fa:16:3e:aa:bb:78'))
  t.false(flows.includes('fa:16:3e:aa:bb:77'))
  t.deepEqual(
    (await rig.drift()).map((h) => h.items),
    [[], [], []],
  )
  await rig.remove('extra.yaml')
  await rig.until('as at first', (a) => a.fleet.revision === at + 3 && rig.isSettled(a) && areGone(a))
  await rig.follow()
  t.deepEqual(await rig.wrong(), [])
})

test.serial('an agent that is started again writes nothing to a switch that holds everything', async (t) => {
  const before = await flowsOf(rig, 'h2')
  const config = await nextConfig(rig, 'h2')
  await rig.stopAgent('h2', 'SIGTERM')
  await rig.agentBack('h2')
  await sleep(500)
  t.deepEqual(rewritten(before, await flowsOf(rig, 'h2')), [])
  t.is(await nextConfig(rig, 'h2'), config)
})

test.serial('a host whose agent starts without a server gets back what it has on disk', async (t) => {
  const flows = await flowTexts(rig, 'h1')
  await rig.stopServer('SIGKILL')
  await rig.stopAgent('h1', 'SIGKILL')
  await rig.ofctl('h1', 'del-flows', 'br-int')
  t.deepEqual(await flowTexts(rig, 'h1'), [])
  await rig.startAgent('h1')
  const ms = await rig.seen('the flows are back', async () => (await flowTexts(rig, 'h1')).length === flows.length)
  t.log(`all ${flows.length} flows ${ms} ms after the agent's start, no server`)
  t.deepEqual(await flowTexts(rig, 'h1'), flows)
  t.deepEqual(await rig.wrong(), [])
  await rig.startServer()
  await rig.settled()
})
