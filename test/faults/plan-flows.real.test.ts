import test from 'ava'
import type { PlanOutput } from '../../schemas/output/plan.ts'
import { BLUE, FIRST, HOSTS, RED } from './repo.ts'
import { port, Rig } from './rig.ts'
import { rowLines } from './rows.ts'
import { flowTexts } from './switch.ts'

type HostFlows = NonNullable<PlanOutput['flows']>[number]

let rig: Rig

/** Ports whose interfaces the agent makes, on the host itself. */
function made(host: string): string {
  return `ports:
  made: { network: blue, host: ${host}, fixed_ips: [{ ip_address: 10.10.0.77 }], plug: { type: internal, interface: nl-made } }
  made-b: { network: blue, host: ${host}, fixed_ips: [{ subnet: blue-v4 }], plug: { type: internal, interface: nl-made-b } }
`
}
test.before(async () => {
  rig = await Rig.up(FIRST, 'agents')
  await rig.startServer(true)
  await rig.netloom('apply', '--dir', rig.dir)
  await rig.settled()
})
test.after.always(async () => await rig?.close())

async function planned(...hosts: readonly string[]): Promise<readonly HostFlows[]> {
  const named = hosts.flatMap((h) => ['--host', h])
  return (await rig.netloom<PlanOutput>('plan', rig.dir, '--flows', ...named)).flows ?? []
}

/** Everything that a host holds, as the plan would write it: flows of br-int, and rows of ours. */
async function held(host: string): Promise<readonly string[]> {
  return [...(await flowTexts(rig, host)), ...(await rowLines(rig, host))]
}

/** One line for each flow and row that is no more (`-`) or new (`+`). */
function difference(before: readonly string[], after: readonly string[]): readonly string[] {
  const [had, has] = [new Set(before), new Set(after)]
  return [...before.filter((l) => !has.has(l)).map((l) => `- ${l}`), ...after.filter((l) => !had.has(l)).map((l) => `+ ${l}`)].sort()
}

/** The plan's items in the same form; devices of the kernel are looked at elsewhere. */
function foretold({ items }: HostFlows): readonly string[] {
  const line = (item: string, text: string): string => (item.startsWith('flow ') ? text : `${item} ${text.replaceAll('\n', ' ')}`)
  return items
    .filter((i) => !i.item.startsWith('link '))
    .flatMap(({ item, before, after }) => [
      ...(before === undefined ? [] : [`- ${line(item, before)}`]),
      ...(after === undefined ? [] : [`+ ${line(item, after)}`]),
    ])
    .sort()
}

async function applied(): Promise<void> {
  const { revision, converged } = await rig.netloom<{ readonly revision: number; readonly converged: boolean }>('apply', '--dir', rig.dir)
  if (!converged) throw new Error('not every host holds what was applied')
  await rig.committed(revision)
}

test.serial(
  'plan --flows said exactly what the dumps of every host show after apply: added, altered and removed, rows and flows',
  async (t) => {
    const change = BLUE.replace('10.10.0.12 }', '10.10.0.112 }').replace(/^ {2}db-1:.*\n/m, '')
    await rig.write('blue.yaml', change)
    await rig.write('red.yaml', RED.replace('segmentation_id: 120', 'segmentation_id: 130'))
    await rig.write('extra.yaml', made('h1'))
    const told = await planned()
    t.deepEqual(
      told.map((h) => [h.host, h.basis]),
      [
        ['h1', 'reported'],
        ['h2', 'reported'],
        ['h3', 'reported'],
      ],
    )
    const before = await Promise.all(rig.hosts.map(held))
    await applied()
    for (const [n, host] of told.entries()) {
      const real = difference(before[n] ?? [], await held(host.host))
      t.deepEqual(foretold(host), real, host.host)
      t.true(real.some((l) => l.startsWith('- ')) && real.some((l) => l.startsWith('+ ')))
      t.log(`${host.host}: ${real.length} lines`)
    }
    t.true(told[0]?.items.some((i) => i.action === 'update' && i.item.startsWith('flow ')))
    t.true(told[0]?.items.some((i) => i.item === 'row Interface nl-made'))
    t.deepEqual(await planned(), [], 'and then nothing')
  },
)

test.serial('flows of a port that nobody has plugged are told as what it waits for, and come as told once it is plugged', async (t) => {
  await rig.follow()
  await rig.settled()
  await rig.write('late.yaml', 'ports:\n  late: { network: blue, host: h2, fixed_ips: [{ ip_address: 10.10.0.99 }] }\n')
  const [told] = await planned('h2')
  const before = await held('h2')
  const [wait] = told?.waits ?? []
  t.is(wait?.port, port('late'))
  t.regex(wait?.cause ?? '', /no interface with external_ids:iface-id=/)
  t.true(told?.items.every((i) => !`${i.after}`.includes('<ofport>')))
  await applied()
  await rig.until('late waits', (a) => rig.object(a, port('late'))?.state === 'WAITING')
  const waiting = await held('h2')
  t.deepEqual(told && foretold(told), difference(before, waiting))
  await rig.follow()
  await rig.settled()
  const ofport = (
    await rig.vsctl(
      'h2',
      '--no-headings',
      '--columns=ofport',
      'find',
      'Interface',
      `external_ids:iface-id=${/iface-id=([0-9a-f-]+)/.exec(wait?.cause ?? '')?.[1]}`,
    )
  ).trim()
  const come = difference(waiting, await held('h2'))
  t.deepEqual(wait?.items.map((i) => `+ ${i.text.replace('<ofport>', ofport)}`).sort(), come)
  t.is(come.length, 2)
})

test.serial('without a server, plan --flows tells the same with what the agents said last', async (t) => {
  await rig.write('extra.yaml', made('h3'))
  const online = await planned()
  await rig.stopServer()
  const offline = await planned()
  t.true(online.length >= 2)
  t.deepEqual(
    offline.map(({ seen: _, ...rest }) => rest),
    online.map(({ seen: _, ...rest }) => rest),
  )
  await rig.startServer(true)
  const before = await held('h1')
  await applied()
  const [h1] = online
  t.deepEqual(h1 && foretold(h1), difference(before, await held('h1')))
})

test.serial('plan --flows of a host that leaves the repository says all that goes', async (t) => {
  await rig.remove('extra.yaml')
  await rig.write('hosts.yaml', HOSTS.replace(/^ {2}h3:.*\n/m, ''))
  for (const [name, text] of [
    ['blue.yaml', BLUE],
    ['red.yaml', RED],
  ] as const)
    await rig.write(name, text.replace(/^.*host: h3.*\n/gm, ''))
  const [told] = await planned('h3')
  t.true(told?.items.every((i) => i.action === 'delete'))
  const before = await held('h3')
  await applied()
  await rig.seen('h3 holds no flow', async () => (await flowTexts(rig, 'h3')).length === 0)
  await rig.until('h3 says so', (a) => a.fleet.agents.some((g) => g.host === 'h3' && g.converged && g.revision === a.fleet.revision))
  t.deepEqual(told && foretold(told), difference(before, await held('h3')))
})
