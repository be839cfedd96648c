import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import test, { type ExecutionContext } from 'ava'
import { type PlanOutput, planOutputSchema } from '../../schemas/output/plan.ts'
import { netloom } from './netloom.ts'

const REPO = `hosts:
  h1: { tunnel_ip: 192.0.2.1 }
  h2: { tunnel_ip: 192.0.2.2 }
  h3: { tunnel_ip: 192.0.2.3 }
networks: { blue: { network_type: vxlan } }
subnets: { b: { network: blue, cidr: 10.1.0.0/24 } }
ports:
  web: { network: blue, host: h1 }
  db: { network: blue, host: h2, plug: { type: internal, interface: nl-db } }
`

async function repo(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-flows-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await writeFile(join(dir, 'a.yaml'), REPO)
  return dir
}

test('plan --flows before any agent spoke: predicted, said so, and valid by the schema', async (t) => {
  const dir = await repo(t)
  const text = await netloom('plan', dir, '--flows')
  t.is(text.code, 0, text.out)
  t.regex(text.out, /^Host h1 {2}\d+ to add\n {2}predicted: no agent has told of the switch of h1/)
  t.regex(text.out, /\n {2}\+ row Interface nl-db {2}# port db\n/)
  t.regex(text.out, /\n {2}\+ cookie=0x4e4c[0-9a-f]{12}, table=0, .* {2}# port db\n/)
  t.regex(
    text.out,
    /\n {2}… port web waits: no interface with external_ids:iface-id=[0-9a-f-]{36} on br-int; once it is plugged, 2 flows more\n/,
  )
  t.regex(text.out, /\n {6}\+ cookie=0x4e4c[0-9a-f]{12}, table=0, priority=100,in_port=<ofport>,/)
  t.regex(text.out, /\nPlan p-[0-9a-f]{8}: /)

  const json = JSON.parse((await netloom('plan', dir, '--flows', '--json')).out) as PlanOutput & { readonly issues: unknown }
  const { issues: _, ...plan } = json
  const validate = new Ajv({ allowUnionTypes: true, strictTypes: false }).compile(planOutputSchema)
  t.true(validate(plan), JSON.stringify(validate.errors))
  t.deepEqual(
    plan.flows?.map((h) => [h.host, h.basis, h.waits.map((w) => w.port)]),
    [
      ['h1', 'predicted', ['port/default/web']],
      ['h2', 'predicted', []],
      ['h3', 'predicted', []],
    ],
  )
  t.is((JSON.parse((await netloom('plan', dir, '--json')).out) as PlanOutput).flows, undefined)
})

test('plan --host: that host alone, also one that has nothing to do; one that is not there is an error', async (t) => {
  const dir = await repo(t)
  t.is((await netloom('apply', '--dir', dir)).code, 4)
  await writeFile(join(dir, 'a.yaml'), REPO.replace('host: h2', 'host: h2, admin_state_up: false'))
  const flows = async (...args: readonly string[]): Promise<PlanOutput['flows']> =>
    (JSON.parse((await netloom('plan', dir, '--json', ...args)).out) as PlanOutput).flows
  t.deepEqual(
    (await flows('--flows'))?.map((h) => h.host),
    ['h1', 'h2'],
  )
  const [h3] = (await flows('--host', 'h3')) ?? []
  t.deepEqual([h3?.host, h3?.items], ['h3', []])
  t.regex((await netloom('plan', dir, '--host', 'h3')).out, /^Host h3 {2}nothing changes\n/)
  const [h2] = (await flows('--host', 'h2')) ?? []
  t.true(h2?.items.some((i) => i.action === 'delete' && i.owners.includes('port/default/db')))
  t.deepEqual(h2?.verdicts, [{ key: 'port/default/db', state: 'DOWN', cause: 'admin_state_up is false' }])
  t.regex((await netloom('plan', dir, '--host', 'h9')).err, /there is no host h9, neither now nor after the plan/)
})
