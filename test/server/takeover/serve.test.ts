import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { SavedSet } from '../../../agentd/northbound/statefile.ts'
import type { Intent } from '../../../src/model/intent.ts'
import { EMPTY_VERSION, type IntentKey } from '../../../src/model/scope.ts'
import type { World } from '../../../src/server/engine/types.ts'
import { hostStates } from '../../../src/server/render/fleet.ts'
import { type ServeOptions, type Server, startServer } from '../../../src/server/serve.ts'
import { spec } from '../../support/world.ts'
import { isSynced, startAgent, type TestAgent, until } from '../hub/fleet.ts'
import { CHOSEN, history, REST, WRITTEN } from './support.ts'

/* A server whose state file was lost, and agents that were there before: real sockets, the fake consumer of the hub's tests. */

const SITE = 'installation: test\n'
const BEFORE = history(...[WRITTEN, CHOSEN].map((text) => `site: { ${SITE.trim()} }\n${text}`))

interface Started {
  readonly server: Server
  readonly log: readonly string[]
  write(yaml: string): Promise<void>
}

async function serve(t: ExecutionContext, yaml: string, options: Partial<ServeOptions> = {}): Promise<Started> {
  const dir = await mkdtemp(join(tmpdir(), 'nl-takeover-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const write = (text: string): Promise<void> => writeFile(join(dir, 'all.yaml'), text)
  await writeFile(join(dir, 'netloom.yaml'), SITE)
  await write(yaml)
  const log: string[] = []
  const at = (name: string): string => `ipc://${join(dir, name)}`
  const server = await startServer({
    dir,
    stateFile: join(dir, '.netloom', 'state.db'),
    endpoints: { pub: at('.pub'), rpc: at('.rpc'), reports: at('.reports') },
    mode: 'auto',
    insecureLab: false,
    heartbeatMs: 100,
    log: (level, message) => log.push(`${level} ${message}`),
    onFault: (reason) => log.push(`fault ${reason.message}`),
    ...options,
  })
  t.teardown(() => server.close())
  return { server, log, write }
}

function saved(world: World, host: string): SavedSet {
  const scopes = [...(world.needs.get(host)?.keys() ?? [])].map((scope) => {
    const state = world.scopes.get(scope)
    return [scope, { version: state?.version ?? EMPTY_VERSION, intents: new Map<IntentKey, Intent>(state?.intents ?? []) }] as const
  })
  return { revision: 43, scopes: new Map(scopes) }
}

function agentOf(t: ExecutionContext, server: Server, host: string): TestAgent {
  return startAgent(t, { server: server.endpoints.rpc, host, saved: saved(BEFORE, host) })
}

const revisionOf = (server: Server): number => server.controller.base.revision
const atRevision = async (server: Server, n: number): Promise<void> => until(`revision ${n}`, () => revisionOf(server) === n)

test('a server that lost its state asks first, takes over what agents hold, and moves nobody', async (t) => {
  const { server, log } = await serve(t, CHOSEN, { takeOverMs: 60_000 })
  const h1 = agentOf(t, server, 'h1')
  await until('h1 was asked', () => h1.log.some((l) => l.includes('no revision yet')))
  await until('the server waits', () => log.some((l) => l.includes('are asked first')))
  t.is(revisionOf(server), 0)
  const { first } = server.fleet()
  t.deepEqual([first?.declared, first?.awaited], [['h1', 'h2'], ['h2']])
  const h2 = agentOf(t, server, 'h2')
  await atRevision(server, 1)
  await until('both are there', () => isSynced(server.hub, h1) && isSynced(server.hub, h2))
  for (const agent of [h1, h2])
    t.deepEqual(
      agent.offers.map((o) => o.source),
      ['saved'],
    )
  t.true(log.includes('info taken over from agents: 2 addresses, 2 MACs, 1 segment'), log.join('\n'))
  t.is(log.filter((l) => l.includes('are asked first')).length, 1)
  t.deepEqual([...server.takeOver.withheld], [])
})

test('a host that comes too late and holds something else stays as it is, until somebody writes what it holds', async (t) => {
  const { server, log, write } = await serve(t, CHOSEN, { takeOverMs: 300 })
  const h1 = agentOf(t, server, 'h1')
  await atRevision(server, 1)
  await until('h1 is there', () => isSynced(server.hub, h1))
  t.true(log.some((l) => l.startsWith('warn hosts did not say what they hold')))
  t.notDeepEqual(spec(server.controller.base.world, 'port', 'b'), spec(BEFORE, 'port', 'b'))
  const h2 = agentOf(t, server, 'h2')
  await until('h2 is withheld', () => server.takeOver.withheld.has('h2'))
  await until('h2 knows', () => h2.log.some((l) => l.includes('E0604')))
  t.regex(
    server.takeOver.withheld.get('h2') ?? '',
    /^E0604: host h2 holds .* \(port b: 10\.10\.0\.202 → .* and port b: fa:16:3e:aa:bb:02 → /,
  )
  const state = hostStates(server.fleet()).find((s) => s.host === 'h2')
  t.deepEqual([state?.health, state?.notes], ['Missing', [server.takeOver.withheld.get('h2')]])
  const events = async (): Promise<unknown> => (await server.store.events(10)).filter((e) => e.type === 'withheld').map((e) => e.host)
  for (let n = 0; n < 100 && JSON.stringify(await events()) !== '["h2"]'; n++) await sleep(20)
  t.deepEqual(await events(), ['h2'])
  t.is(h2.offers.length, 1)
  await write(WRITTEN)
  await until('h2 is there', () => isSynced(server.hub, h2))
  t.deepEqual([...server.takeOver.withheld], [])
  t.is(h2.offers.length, 1, 'it is where it was')
})

test('nobody is waited for where no host is declared, or where there is nothing to take over', async (t) => {
  const without = await serve(t, REST.slice(0, REST.indexOf('hosts:')).replace('subnets:', 'networks: { blue: {} }\nsubnets:'), {
    takeOverMs: 60_000,
  })
  await atRevision(without.server, 1)
  const fresh = await serve(t, CHOSEN, { takeOverMs: 60_000, fresh: true })
  await atRevision(fresh.server, 1)
  const h1 = agentOf(t, fresh.server, 'h1')
  await until('h1 follows', () => isSynced(fresh.server.hub, h1))
  t.deepEqual(
    h1.offers.map((o) => o.source),
    ['saved', 'server'],
  )
})

test('an agent whose host the repository does not name is told to the log once, until it does', async (t) => {
  const { server, log, write } = await serve(t, CHOSEN, { fresh: true })
  await atRevision(server, 1)
  const h9 = startAgent(t, { server: server.endpoints.rpc, host: 'h9' })
  await until('h9 is told', () => h9.log.some((l) => l.startsWith('warn the server answered: E0603: host h9 is not in the repo')))
  const tries = (): number => log.filter((l) => l.includes('E0603: host h9 is not in the repo; add `hosts: { h9: {} }`')).length
  await until('the log has it', () => tries() === 1)
  await sleep(1500)
  t.is(tries(), 1, 'it has said hello several times by now')
  t.false(log.some((l) => l.includes('agent connected')))
  await write(`${CHOSEN}  h9: { tunnel_ip: 192.0.2.9 }\n`)
  await until('h9 is there', () => isSynced(server.hub, h9))
  t.is(log.filter((l) => l === 'info agent connected').length, 1)
})

test('a plan that was made before agents spoke is stale; the next one keeps what they hold', async (t) => {
  const { server } = await serve(t, CHOSEN, { mode: 'manual', takeOverMs: 60_000 })
  await until('the repo is read', () => server.controller.repo.state === 'pending')
  const early = server.controller.preview()?.ready?.plan
  if (early === undefined) return t.fail('no plan')
  await server.store.savePlan(early)
  agentOf(t, server, 'h1')
  agentOf(t, server, 'h2')
  await server.takeOver.heard(server.controller.tree)
  const apply = (plan?: string): Promise<{ readonly outcome: string }> =>
    server.queue.add(() => server.controller.apply({ allow: new Map(), ...(plan === undefined ? {} : { plan }) }))
  t.is((await apply(early.id)).outcome, 'stale')
  const late = server.controller.preview()?.ready?.plan
  t.deepEqual(
    late?.notes.map((n) => n.message),
    ['taken over from agents: 2 addresses, 2 MACs, 1 segment'],
  )
  await server.store.savePlan(late ?? early)
  t.is((await apply(late?.id)).outcome, 'applied')
  t.deepEqual(spec(server.controller.base.world, 'port', 'b'), spec(BEFORE, 'port', 'b'))
})
