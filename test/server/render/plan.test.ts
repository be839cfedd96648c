import { Ajv } from 'ajv'
import test from 'ava'
import { createColors } from 'picocolors'
import { planOutputSchema } from '../../../schemas/output/plan.ts'
import { computePlan } from '../../../src/server/plan/plan.ts'
import type { Plan } from '../../../src/server/plan/types.ts'
import { renderPlan } from '../../../src/server/render/plan.ts'
import { planJson } from '../../../src/server/render/plan-json.ts'
import { type Item, inputOf } from '../plan/worlds.ts'
import { golden } from './golden.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: the colours' escape sequences
const COLOUR = /\u001b\[\d+m/g
const GIT = { commit: '9f2c1ab04b1d2e3f', author: 'ops', subject: 'db: move to vlan 210', dirty: false }
const NET = 'net/default/db-prod'
const network = (segmentation_id: number): Item => ({
  key: 'network/default/db-prod',
  spec: { network_type: 'vlan', physical_network: 'physnet1', segmentation_id },
  full: { mtu: 1500, admin_state_up: true, description: '' },
  scopes: [NET],
})
const port = (name: string, host: string, ip: string, more: Partial<Item> = {}): Item => ({
  key: `port/default/${name}`,
  spec: { network: 'db-prod', host },
  full: { fixed_ips: [{ subnet: 'db-v4', ip_address: ip }], mac_address: `fa:16:3e:1b:90:${ip.slice(-2)}`, description: '', tags: [] },
  reads: ['network/default/db-prod'],
  scopes: [NET, `host/${host}`],
  needs: [
    [host, NET],
    [host, `host/${host}`],
  ],
  holds: [
    { pool: 'ip:subnet/default/db-v4', value: ip },
    { pool: 'mac:network/default/db-prod', value: `fa:16:3e:1b:90:${ip.slice(-2)}` },
  ],
  ...more,
})
const BEFORE = [network(200), port('db-1', 'h-01', '10.20.0.11'), port('db-2', 'h-02', '10.20.0.12'), port('db-old', 'h-01', '10.20.0.10')]
const AFTER = [network(210), port('db-1', 'h-01', '10.20.0.11'), port('db-2', 'h-02', '10.20.0.12'), port('db-7', 'h-03', '10.20.0.17')]

const mixed = (): Plan => computePlan(inputOf(BEFORE, AFTER, { git: GIT }))

test('a plan: deleted, changed and created, with what was chosen, why, where and whom it concerns', (t) => {
  golden(t, 'plan-mixed.txt', renderPlan(mixed()))
  golden(t, 'plan-mixed-verbose.txt', renderPlan(mixed(), { verbose: true, width: 60 }))
})

test('the same in ASCII, and in a narrow terminal', (t) => {
  const text = renderPlan(mixed(), { ascii: true })
  t.regex(text, /^[\x20-\x7e\n]*$/)
  golden(t, 'plan-ascii.txt', text)
  golden(t, 'plan-narrow.txt', renderPlan(mixed(), { width: 40 }))
})

test('colour changes no character, and only comes when asked for', (t) => {
  const plain = renderPlan(mixed())
  t.false(plain.includes('\u001b'))
  const coloured = renderPlan(mixed(), { color: createColors(true) })
  t.true(coloured.includes('\u001b['))
  t.is(coloured.replaceAll(COLOUR, ''), plain)
  t.is(renderPlan(mixed(), { color: createColors(true), ascii: true }).replaceAll(COLOUR, ''), renderPlan(mixed(), { ascii: true }))
})

test('no changes: one line', (t) => {
  t.is(renderPlan(computePlan(inputOf(AFTER, AFTER))), 'No changes. The repo is what revision 41 says.\n')
  t.is(renderPlan(computePlan(inputOf([], [], { baseRevision: 0 }))), 'No changes. Nothing is declared, and there is no revision yet.\n')
  const rewritten = AFTER.map((item) => ({ ...item, spec: { ...item.spec, description: '' } }))
  t.is(
    renderPlan(computePlan(inputOf(AFTER, rewritten))),
    'No changes. The repo is what revision 41 says (4 resources written differently, to the same effect).\n',
  )
})

test('many alike are grouped; every deletion is named', (t) => {
  const many = Array.from({ length: 40 }, (_, i) => port(`web-${i}`, `h-${String(i % 9).padStart(2, '0')}`, `10.20.1.${i + 10}`))
  golden(t, 'plan-grouped-create.txt', renderPlan(computePlan(inputOf([network(200)], [network(200), ...many])), { width: 100 }))
  const renamed = many.map((item) => ({ ...item, full: { ...item.full, description: 'edge' } }))
  golden(
    t,
    'plan-grouped-update.txt',
    renderPlan(computePlan(inputOf([network(200), ...many], [network(200), ...renamed])), { width: 100 }),
  )
  golden(
    t,
    'plan-blocked.txt',
    renderPlan(computePlan(inputOf([network(200), ...many], [network(200), ...many.slice(30)])), { width: 100 }),
  )
})

test('an emptied repo cannot be applied', (t) => {
  golden(t, 'plan-empty-tree.txt', renderPlan(computePlan(inputOf(BEFORE, []))))
})

test('re-creation, and what follows from another resource', (t) => {
  const moved = port('db-1', 'h-01', '10.20.0.11', { spec: { network: 'other', host: 'h-01' } })
  const following = port('db-2', 'h-02', '10.20.0.12', { full: { ...port('db-2', 'h-02', '10.20.0.12').full, description: 'follows' } })
  golden(t, 'plan-recreate.txt', renderPlan(computePlan(inputOf([network(200), ...BEFORE.slice(1, 3)], [network(210), moved, following]))))
})

test('text from the repo cannot write into the terminal', (t) => {
  const evil: Item = {
    key: 'port/default/a',
    spec: { description: '\u001b[2J\u001b]0;x\u0007 "quoted"\nnext', 'odd\u001bname': 'x y', n: '12', t: 'true' },
  }
  const text = renderPlan(computePlan(inputOf([], [evil], { git: { ...GIT, subject: 'x\u001b[31m\ny' } })))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
  t.notRegex(text, /[\u0000-\u0009\u000b-\u001f\u007f]/)
  golden(t, 'plan-hostile.txt', text)
})

test('the JSON form fits its schema, and a deletion is found by its word', (t) => {
  const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(planOutputSchema)
  const plans = [
    mixed(),
    computePlan(inputOf(BEFORE, [])),
    computePlan(inputOf([], [])),
    computePlan(inputOf(BEFORE, [network(200), port('db-1', 'h-01', '10.20.0.11', { id: 'another' })])),
  ]
  for (const plan of plans) t.true(validate(JSON.parse(JSON.stringify(planJson(plan)))), JSON.stringify(validate.errors))
  golden(t, 'plan-mixed.json', `${JSON.stringify(planJson(mixed()), null, 2)}\n`)
  t.deepEqual(
    planJson(plans[3] ?? mixed())
      .changes.filter((c) => c.actions.includes('delete'))
      .map((c) => c.actions),
    [['delete'], ['delete'], ['delete', 'create']],
  )
  t.true(planJson(computePlan(inputOf([], []))).no_op)
  t.false(planJson(computePlan(inputOf(BEFORE, []))).applyable)
})
