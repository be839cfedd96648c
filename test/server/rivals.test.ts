import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { hostStates } from '../../src/server/render/fleet.ts'
import { type Claim, judge, RIVAL_MS, rivalsOf } from '../../src/server/rivals.ts'
import { type Server, startServer } from '../../src/server/serve.ts'
import type { Origin } from '../../src/wire/messages.ts'
import { startAgent, type TestAgent, until } from './hub/fleet.ts'

const at = (place: string): Origin => ({ place, name: `machine ${place}` })
const PATIENCE_MS = 100

/** `12 hello a@m1` or `12 report a`, one word after another; what is said of each, and who is a rival at the end. */
function story(...words: readonly string[]): { readonly verdicts: readonly string[]; readonly rivals: readonly string[] } {
  let claim: Claim | undefined
  let now = 0
  const verdicts: string[] = []
  for (const word of words) {
    const [ms = '', what, who = ''] = word.split(' ')
    const [epoch = '', place] = who.split('@')
    now = Number(ms)
    const speaker = { host: 'h1', epoch, hello: what === 'hello', ...(place === undefined ? {} : { origin: at(place) }) }
    const judged = judge(claim, speaker, { now, patienceMs: PATIENCE_MS })
    claim = judged.claim
    verdicts.push(judged.verdict)
  }
  return { verdicts, rivals: claim === undefined ? [] : rivalsOf(claim, now).map((l) => l.epoch) }
}

const YES = 'listened-to'

test('a restart is listened to at once, whatever the one before still had on its way', (t) => {
  t.deepEqual(story('0 hello a@m1', '10 report a', '11 hello b@m1', '12 report a', '13 report b', '30 hello c@m1'), {
    verdicts: [YES, YES, YES, 'late', YES, YES],
    rivals: [],
  })
})

test('one from another place waits until the one that is there has been silent; then it is listened to, and no rival', (t) => {
  t.deepEqual(story('0 hello a@m1', '50 hello b@m2', '60 report a', '150 hello b@m2', '161 hello b@m2', '170 report b'), {
    verdicts: [YES, 'rival', YES, 'rival', YES, YES],
    rivals: [],
  })
})

test('who comes back after it was given up finds its place taken', (t) => {
  t.deepEqual(story('0 hello a@m1', '101 hello b@m2', '150 report a', '202 report a', '210 report b', '220 hello a@m1'), {
    verdicts: [YES, YES, 'late', 'rival', YES, 'rival'],
    rivals: ['a'],
  })
})

test('two that do not say where they are: the later one is listened to, and the earlier one is noticed', (t) => {
  t.deepEqual(story('0 hello a', '50 hello b', '60 report a', '70 report b', '151 report a', '160 report b'), {
    verdicts: [YES, YES, 'late', YES, 'rival', YES],
    rivals: ['a'],
  })
})

test('after a start of the server the first to speak is listened to; a report makes nobody a holder beside another', (t) => {
  t.deepEqual(story('0 report a', '1 hello a@m1', '2 report b', '3 hello b@m2').verdicts, [YES, YES, 'late', 'rival'])
})

test('a rival that is not heard any more is none', (t) => {
  t.deepEqual(story('0 hello a@m1', '10 hello b@m2', `${10 + RIVAL_MS} report a`).rivals, ['b'])
  t.deepEqual(story('0 hello a@m1', '10 hello b@m2', `${11 + RIVAL_MS} report a`).rivals, [])
})

interface Started {
  readonly server: Server
  readonly log: readonly string[]
  readonly agent: (place: string) => TestAgent
}

async function serve(t: ExecutionContext): Promise<Started> {
  const dir = await mkdtemp(join(tmpdir(), 'nl-rivals-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await writeFile(join(dir, 'netloom.yaml'), 'installation: test\n')
  await writeFile(join(dir, 'all.yaml'), 'hosts: { h1: { tunnel_ip: 192.0.2.1 } }\n')
  const log: string[] = []
  const path = (name: string): string => `ipc://${join(dir, name)}`
  const server = await startServer({
    dir,
    stateFile: join(dir, '.netloom', 'state.db'),
    endpoints: { pub: path('.pub'), rpc: path('.rpc'), reports: path('.reports') },
    mode: 'auto',
    insecureLab: false,
    heartbeatMs: 500,
    fresh: true,
    log: (level, message) => log.push(`${level} ${message}`),
    onFault: (reason) => log.push(`fault ${reason.message}`),
  })
  t.teardown(() => server.close())
  await until('revision 1', () => server.controller.base.revision === 1)
  return { server, log, agent: (place) => startAgent(t, { server: server.endpoints.rpc, host: 'h1', origin: at(place) }) }
}

test('two machines with one name: the first keeps its share, the second is told, and status and the log say so until one is stopped', async (t) => {
  const { server, log, agent } = await serve(t)
  const state = () => hostStates(server.fleet()).find((s) => s.host === 'h1')
  const first = agent('m1')
  await until('the first is there', () => state()?.sync === 'Synced')
  t.is(state()?.health, 'Healthy')
  const second = agent('m2')
  await until('the second is told', () =>
    second.log.some((l) => l.includes('E0607: another agent speaks for host h1 and is heard: machine m1')),
  )
  await sleep(1000)
  t.deepEqual([second.offers.length, first.offers.length], [0, 1])
  t.deepEqual(
    [state()?.sync, state()?.health, state()?.notes],
    [
      'Synced',
      'Degraded',
      [
        'E0607: claimed by 2 agents: machine m1 is listened to, machine m2 is not; stop one, or start it with the --host name of its own machine',
      ],
    ],
  )
  t.is(log.filter((l) => l === 'warn a host is claimed by two agents').length, 1)
  t.is((await server.store.events(20)).filter((e) => e.type === 'claimed-twice').length, 1)
  await first.close()
  await until('the second follows', () => second.offers.length === 1)
  await until('all is well', () => state()?.health === 'Healthy')
  t.true(log.includes('info one agent speaks for the host again'))
  await second.close()
  const third = agent('m2')
  await until('a restart follows', () => third.offers.length === 1)
  t.deepEqual(
    third.log.filter((l) => l.includes('E0607')),
    [],
    'it was never made to wait',
  )
  t.deepEqual(server.fleet().contested, {})
})
