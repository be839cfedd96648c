import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { startServer } from '../../src/server/serve.ts'
import { netloom } from '../cli/netloom.ts'
import { thirdParty } from './third-party.ts'

/** A module of a third party in plain JavaScript: one kind without any effect. */
const CABLES = `export const plugin = (api) => ({
  name: 'cables', role: 'service', summary: 'Cables.', provides: ['CABLES'], agent_roles: [],
  extensions: [{ alias: 'cable', summary: 'Cables.' }],
  kinds: () => [{ alias: 'cable', definition: {
    kind: 'cable', collection: 'cables', scope: 'project', summary: 'A cable.', after: [],
    schema: { type: 'object', additionalProperties: false, properties: { colour: { type: 'string', description: 'x' } } },
    normalise: (spec) => ({ spec, findings: [] }), references: () => [], check: () => [],
    resolve: (resource) => ({ spec: resource.spec, findings: [] }), lower: () => api.NOTHING,
  } }],
})
`

async function repo(t: ExecutionContext): Promise<(name: string, text: string) => Promise<string>> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-state-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await writeFile(join(dir, 'cables.mjs'), CABLES)
  return async (name, text) => {
    await writeFile(join(dir, name), text)
    return dir
  }
}

const WITH = 'service_plugins: [./cables.mjs]\n'
const idOf = (out: string): string => /Plan (p-[0-9a-f]+)/.exec(out)?.[1] ?? 'no plan'

test('a plan that other plugins made is refused, with the fix; planned again it is another plan, and is applied', async (t) => {
  const write = await repo(t)
  await write('a.yaml', 'networks: { n: {} }\n')
  const dir = await write('netloom.yaml', WITH)
  const id = idOf((await netloom('plan', dir)).out)
  await write('netloom.yaml', 'disabled_plugins: []\n')
  const refused = await netloom('apply', id, '--dir', dir)
  t.is(refused.code, 1)
  t.regex(refused.err, /was made with other plugins: ml2, .*cables \([0-9a-f]{12}\); these run now: ml2, .*\([0-9a-f]{12}\)/)
  t.regex(refused.err, /netloom plan.* again/)
  await write('netloom.yaml', WITH)
  await write('cables.mjs', `${CABLES}// another content\n`)
  t.is((await netloom('apply', id, '--dir', dir)).code, 1, 'the same names, and another file')
  const again = idOf((await netloom('plan', dir)).out)
  t.not(again, id)
  t.is((await netloom('apply', again, '--dir', dir)).code, 4)
})

test('E0717: a state file with resources of a kind that nobody brings any more is refused with the way out, and the way out works', async (t) => {
  const write = await repo(t)
  await write('netloom.yaml', WITH)
  const dir = await write('a.yaml', 'cables: { a: {}, b: { colour: red } }\n')
  t.is((await netloom('apply', '--dir', dir)).code, 4)
  await write('a.yaml', 'networks: { n: {} }\n')
  await write('netloom.yaml', 'disabled_plugins: []\n')
  for (const args of [
    ['plan', dir],
    ['apply', '--dir', dir],
    ['serve', dir],
  ]) {
    const { code, out, err } = await netloom(...args)
    t.is(code, 1, args[0])
    t.regex(out, /E0717.*the state file holds 2 resources of kind cable, which no plugin here brings/, err)
    t.regex(out, /put its plugin back into service_plugins in netloom\.yaml; start once with it and remove them, then it can go/)
  }
  await write('netloom.yaml', WITH)
  t.is((await netloom('apply', '--dir', dir)).code, 4)
  await write('netloom.yaml', 'disabled_plugins: []\n')
  t.is((await netloom('plan', dir)).code, 0)
})

test('a start with other plugins changes what they are about and nothing else: the committed site is no mistake', async (t) => {
  const { repo, edit } = await thirdParty(t)
  t.is((await netloom('apply', '--dir', repo)).code, 4)
  const options = {
    dir: repo,
    stateFile: join(repo, '.netloom', 'state.db'),
    endpoints: { pub: `ipc://${repo}/pub`, rpc: `ipc://${repo}/rpc`, reports: `ipc://${repo}/reports` },
    mode: 'manual',
    insecureLab: false,
    heartbeatMs: 1000,
    log: () => {},
    onFault: (reason: Error) => t.fail(reason.message),
  } as const
  const targets = async (): Promise<readonly (readonly [string, string])[]> => {
    const server = await startServer(options)
    const digests = [...server.hub.targets()].map(([host, target]) => [host, target.digest] as const)
    await server.close()
    return digests.sort()
  }
  const before = await targets()
  t.is(before.length, 2)
  await edit('repo/netloom.yaml', 'installation:', 'disabled_plugins: [tag]\ninstallation:')
  const { changes } = JSON.parse((await netloom('plan', repo, '--json')).out) as { changes: { address: string }[] }
  t.deepEqual(
    changes.map((c) => c.address),
    ['site/site'],
  )
  t.deepEqual(await targets(), before, 'agents are told to hold what they held')
})

test('E0717: networks and ports whose drivers are gone are not taken off the hosts by a mere start', async (t) => {
  const { repo, edit } = await thirdParty(t)
  t.is((await netloom('apply', '--dir', repo)).code, 4)
  await edit('repo/netloom.yaml', '[openvswitch, bare_metal]', '[openvswitch]')
  const bound = await netloom('plan', repo)
  t.is(bound.code, 1)
  t.regex(
    bound.out,
    /E0717.*the state file holds port machine-1, which no driver here brings about: port machine-1 cannot be bound to host h2/,
  )
  await edit('repo/netloom.yaml', ', ../fabric.mjs]', ']')
  await edit('repo/netloom.yaml', 'project_network_types: [vxlan, fabric]\n', '')
  const typed = await netloom('serve', repo)
  t.is(typed.code, 1)
  t.regex(
    typed.out,
    /E0717.*the state file holds site, which no driver here brings about: project_network_types: fabric is not among/,
    typed.err,
  )
  t.regex(typed.out, /put its plugin back into service_plugins in netloom\.yaml/)
})
