import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { FIRST } from './repo.ts'
import { port, Rig } from './rig.ts'
import { flowTexts } from './switch.ts'

const exec = promisify(execFile)

interface Traced {
  readonly use: string
  readonly key: string | null
  readonly place: { readonly file: string; readonly line: number } | null
  readonly gone: boolean
  readonly changed: { readonly revision: number; readonly git?: { readonly commit: string; readonly subject: string } }
}

let rig: Rig
test.before(async () => {
  rig = await Rig.up(FIRST, 'agents')
  await git('init', '-q', '-b', 'main')
  await commit('the network as it was')
  await rig.startServer(true)
  await rig.netloom('apply', '--dir', rig.dir)
  await rig.settled()
})
test.after.always(async () => await rig?.close())

async function git(...args: readonly string[]): Promise<string> {
  const who = ['-c', 'user.name=Ops', '-c', 'user.email=ops@example.org', '-c', 'commit.gpgsign=false']
  return (await exec('git', ['-C', rig.dir, ...who, ...args])).stdout.trim()
}

async function commit(subject: string): Promise<string> {
  await git('add', '-A')
  await git('commit', '-q', '-m', subject)
  return await git('rev-parse', 'HEAD')
}

function cookieOf(flow: string): string {
  return /cookie=(0x[0-9a-f]+),/.exec(flow)?.[1] ?? ''
}

async function traced(cookie: string): Promise<Traced> {
  return await rig.netloom<Traced>('show', '--cookie', cookie, '--dir', rig.dir)
}

/** The server's own line about a revision, found by the commit alone. */
async function serverSaid(id: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const lines = (await rig.serverLog()).split('\n').filter((l) => l.startsWith('{'))
  return lines
    .map((l) => JSON.parse(l) as Readonly<Record<string, unknown>>)
    .find((l) => l['commit'] === id && String(l['msg']).includes('committed'))
}

test.serial(
  'one commit is traced from the server’s log to the agent’s log, to a flow’s cookie, to the resource and back to the commit',
  async (t) => {
    const before = new Set(await flowTexts(rig, 'h1'))
    await rig.write(
      'extra.yaml',
      '# a port that the agent makes\nports:\n  made: { network: blue, host: h1, fixed_ips: [{ ip_address: 10.10.0.77 }], plug: { type: internal, interface: nl-made } }\n',
    )
    const id = await commit('a port for the trace')
    await rig.netloom('apply', '--dir', rig.dir)

    const server = await serverSaid(id)
    const revision = server?.['revision']
    t.is(revision, 2, JSON.stringify(server))
    await rig.seen('the agent’s log names the commit', async () =>
      (await rig.agentLog('h1')).some((l) => l['commit'] === id && l.msg === 'converged'),
    )
    const agent = (await rig.agentLog('h1')).find((l) => l['commit'] === id && l.msg === 'converged')
    t.is(agent?.['revision'], revision)

    const come = (await flowTexts(rig, 'h1')).filter((flow) => !before.has(flow))
    const owners = new Map<string, Traced>()
    for (const cookie of new Set(come.map(cookieOf))) owners.set(cookie, await traced(cookie))
    const made = [...owners.values()].find((o) => o.key === port('made'))
    t.deepEqual([made?.use, made?.place?.file, made?.place?.line, made?.gone], ['own', 'extra.yaml', 3, false])
    t.deepEqual([made?.changed.revision, made?.changed.git?.commit, made?.changed.git?.subject], [revision, id, 'a port for the trace'])
    const flood = [...owners.values()].find((o) => o.use === 'flood')
    t.deepEqual([flood?.key, flood?.place?.file, flood?.changed.revision], ['network/default/blue', 'blue.yaml', 1])
    t.true(come.filter((flow) => owners.get(cookieOf(flow))?.key === port('made')).length > 5)

    const said = await rig.netloom<Traced>('show', 'port', 'made', rig.dir)
    t.is(said.changed.git?.commit, id)
  },
)

test.serial(
  'every cookie of ours that any host shows leads to a resource or to the pipeline; one of a deleted port says since when',
  async (t) => {
    const flows = (await Promise.all(rig.hosts.map((host) => flowTexts(rig, host)))).flat()
    const cookies = [...new Set(flows.map(cookieOf))]
    const uses = new Set<string>()
    for (const cookie of cookies) uses.add((await traced(cookie)).use)
    t.deepEqual([...uses].sort(), ['flood', 'members', 'own', 'pipeline'])
    const learned = /learn\(.*?cookie=(0x[0-9a-f]+)/.exec(flows.find((f) => f.includes('learn(')) ?? '')?.[1] ?? ''
    t.deepEqual([(await traced(learned)).use, (await traced(learned)).key], ['learned', 'network/default/red'])

    const made = cookies.map(async (cookie) => ({ cookie, owner: await traced(cookie) }))
    const { cookie } = (await Promise.all(made)).find(({ owner }) => owner.key === port('made')) ?? { cookie: '' }
    await rig.remove('extra.yaml')
    const id = await commit('and away')
    await rig.netloom('apply', '--dir', rig.dir)
    const gone = await traced(cookie)
    t.deepEqual([gone.key, gone.gone, gone.changed.git?.commit], [port('made'), true, id])
    await t.throwsAsync(traced('0x4e4c000000000000'), {
      message: /no resource of this state file has the cookie 0x4e4c000000000000, now or before/,
    })
    await t.throwsAsync(traced('0x7'), { message: /0x7 is no cookie of Netloom/ })
  },
)
