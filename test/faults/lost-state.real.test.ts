import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import type { StatusAnswer } from '../../src/cli/status.ts'
import { port, Rig } from './rig.ts'
import { type DumpedFlow, differences, everything, flowsOf, flowTexts, nextConfig, rewritten } from './switch.ts'

/* The state file is lost while the network runs, with values in it that the repository alone does not give. */

/** A network and a port on each host. `written`: with number, MACs and addresses; else they are chosen, and history says which. */
function past(written: boolean, hosts: readonly string[] = ['h1', 'h2', 'h3']): string {
  const fixed = (n: number): string =>
    hosts.includes(`h${n}`) ? `fixed_ips: [{ ip_address: 10.10.0.20${n} }], mac_address: 'fa:16:3e:aa:bb:0${n}'` : ''
  const ports = [1, 2, 3].map((n) => {
    const values = written ? fixed(n) : ''
    const subnet = values === '' ? 'fixed_ips: [{ subnet: blue-v4 }]' : values
    return `  past-${n}: { network: blue, host: h${n}, ${subnet}, plug: { type: internal, interface: nl-past-${n}, netns: past-${n} } }`
  })
  return `networks:
  green: { network_type: vxlan${written ? ', segmentation_id: 4242' : ''} }
ports:
  green-1: { network: green, host: h1, plug: { type: internal, interface: nl-green, netns: green } }
${ports.join('\n')}
`
}

let rig: Rig
test.before(async () => {
  rig = await Rig.up()
  await rig.write('past.yaml', past(true))
  await rig.follow()
  await rig.until('what is written is there', (a) => a.fleet.revision === 2 && arePast(a))
  await rig.write('past.yaml', past(false))
  await rig.until('it is chosen from now on', (a) => a.fleet.revision === 3 && arePast(a))
})
test.after.always(async () => await rig?.close())

function arePast(answer: StatusAnswer): boolean {
  return rig.isSettled(answer) && [1, 2, 3].every((n) => rig.object(answer, port(`past-${n}`))?.state === 'ACTIVE')
}

async function counted(
  hosts: readonly string[],
): Promise<ReadonlyMap<string, { readonly flows: ReadonlyMap<string, DumpedFlow>; readonly config: number }>> {
  return new Map(
    await Promise.all(hosts.map(async (host) => [host, { flows: await flowsOf(rig, host), config: await nextConfig(rig, host) }] as const)),
  )
}

async function written(before: Awaited<ReturnType<typeof counted>>): Promise<string[]> {
  const out: string[] = []
  for (const [host, { flows, config }] of before) {
    out.push(...rewritten(flows, await flowsOf(rig, host)).map((line) => `${host} ${line}`))
    const now = await nextConfig(rig, host)
    if (now !== config) out.push(`${host} rows were written (${config} → ${now})`)
  }
  return out
}

test.serial('the state file is lost: the server takes over what agents hold, and nothing is written to any switch', async (t) => {
  const before = await everything(rig)
  const flows = await counted(rig.hosts)
  await rig.loseState()
  await rig.startServer()
  const ms = await rig.until('all is well again', arePast)
  await sleep(1000)
  const log = await rig.serverLog()
  t.log(`${ms} ms after the start: ${/taken over from agents: [^"]*/.exec(log)?.[0]}`)
  t.true(log.includes('taken over from agents: 3 addresses, 12 MACs, 2 segments'))
  t.is((await rig.status())?.fleet.revision, 1)
  t.deepEqual(differences(before, await everything(rig)), [])
  t.deepEqual(await written(flows), [])
  t.deepEqual(await rig.wrong(), [])
})

test.serial('a host whose agent was away meanwhile stays as it is, until its values are written', async (t) => {
  const before = await flowTexts(rig, 'h3')
  const all = await everything(rig)
  await rig.stopAgent('h3', 'SIGKILL')
  await rig.loseState()
  await rig.startServer()
  await rig.until('the first revision is made without h3', (a) => a.fleet.revision === 1)
  const flows = await counted(['h3'])
  await rig.startAgent('h3')
  await rig.until('h3 is withheld', (a) => a.fleet.withheld?.['h3']?.includes('10.10.0.203') === true)
  await sleep(1000)
  t.deepEqual(await written(flows), [])
  t.deepEqual(await flowTexts(rig, 'h3'), before)
  t.regex(await rig.serverLog(), /a host holds what another server gave it, and stays as it is/)
  await rig.write('past.yaml', past(true, ['h3']))
  await rig.until('h3 is welcome', arePast)
  t.deepEqual(await written(flows), [])
  t.deepEqual(differences(all, await everything(rig)), [])
  t.deepEqual(await rig.wrong(), [])
})
