import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { hostDir } from '../../src/lab/names.ts'
import { makeKey } from '../../src/model/key.ts'
import { hostStates } from '../../src/server/render/fleet.ts'
import { BLUE, FIRST, HOSTS, made, RED, SITE } from './repo.ts'
import { areMade, Rig } from './rig.ts'
import { differences, everything, flowsOf, linkNames } from './switch.ts'

let rig: Rig
test.before(async () => {
  rig = await Rig.up()
})
test.after.always(async () => await rig?.close())

const without = (text: string, ...names: readonly string[]): string =>
  text
    .split('\n')
    .filter((line) => !names.some((n) => line.startsWith(`  ${n}:`)))
    .join('\n')

/** Ports first, then the host they are on: a half of it would be a mistake, and the last good state would serve. */
async function removeH3(): Promise<void> {
  await rig.remove('extra.yaml')
  await rig.write('blue.yaml', without(BLUE, 'web-3'))
  await rig.write('red.yaml', without(RED, 'vault-3'))
  await rig.write('hosts.yaml', without(HOSTS, 'h3'))
}

async function bringBackH3(): Promise<void> {
  for (const name of ['hosts.yaml', 'blue.yaml', 'red.yaml']) await rig.write(name, FIRST[name] ?? '')
  await rig.write('extra.yaml', made('h3'))
}

/** What `netloom status` notes beside h3; undefined when it is not in the list. */
async function notes(): Promise<string | undefined> {
  const answer = await rig.status()
  if (answer === undefined) return undefined
  return hostStates({ ...answer.fleet, targets: new Map(answer.fleet.targets) })
    .find((s) => s.host === 'h3')
    ?.notes.join('; ')
}

async function isEmptied(): Promise<boolean> {
  return (await notes())?.startsWith('left the repository and holds nothing any more') === true
}

/** `Bridge br-int`, `Port nl-vxlan`, …: rows of h3 that carry our mark, sorted. */
async function ownRows(): Promise<string[]> {
  const out: string[] = []
  for (const table of ['Bridge', 'Port', 'Interface']) {
    const found = await rig.vsctl('h3', '--bare', '--columns=name', 'find', table, 'external_ids:netloom-owner=faults')
    for (const name of found.split('\n')) if (name.trim() !== '') out.push(`${table} ${name.trim()}`)
  }
  return out.sort()
}

async function ownFlows(): Promise<string[]> {
  return [...(await flowsOf(rig, 'h3')).keys()].filter((flow) => !flow.includes('cookie=0x7,'))
}

test.serial('a host that left the repository holds nothing of ours, whatever the drift mode; what others have there stays', async (t) => {
  await rig.write('extra.yaml', made('h3'))
  await rig.write('netloom.yaml', `${SITE}drift: { mode: 'off' }\n`)
  await rig.follow()
  await rig.until('made is there', (a) => rig.isSettled(a) && areMade(a, 'h3'))
  await rig.vsctl('h3', 'add-port', 'br-int', 'other', '--', 'set', 'Interface', 'other', 'type=internal')
  await rig.ofctl('h3', 'add-flow', 'br-int', 'cookie=0x7,table=0,priority=9,in_port=99,actions=drop')
  t.true((await ownRows()).length > 6)
  const guests = rig.lab.spec.guests.filter((g) => g.host === 'h3' && g.plug !== 'agent').length
  t.is(guests, 2)

  await removeH3()
  t.log(`emptied ${await rig.seen('h3 says that it is empty', isEmptied)} ms after the repository let it go`)
  t.deepEqual(await ownRows(), ['Bridge br-int'])
  t.deepEqual(await ownFlows(), [])
  t.is([...(await flowsOf(rig, 'h3')).keys()].length, 1)
  t.is((await rig.vsctl('h3', 'get', 'Bridge', 'br-int', 'fail_mode')).trim(), 'secure')
  t.deepEqual(
    (await linkNames(rig, 'h3')).filter((l) => l.startsWith('nl-')),
    [],
  )
  t.true((await rig.vsctl('h3', 'list-ports', 'br-int')).split('\n').includes('other'))
  t.is((await rig.vsctl('h3', 'list-ports', 'br-int')).trim().split('\n').length, guests + 1)
})

test.serial('the bridge goes with the last port that others had on it', async (t) => {
  const { spec } = rig.lab
  await rig.follow(() => ({ ...spec, guests: spec.guests.filter((g) => g.host !== 'h3') }))
  t.deepEqual(await ownRows(), ['Bridge br-int'])
  await rig.vsctl('h3', 'del-port', 'br-int', 'other')
  await rig.seen('no row of ours is left', async () => (await ownRows()).length === 0)
  t.deepEqual((await rig.vsctl('h3', 'list-br')).trim().split('\n').sort(), ['br-ex', 'br-und'])
  t.true(await isEmptied())
})

test.serial('a set that is empty on disk removes nothing before the server has said so', async (t) => {
  await rig.stopServer('SIGKILL')
  await rig.stopAgent('h3', 'SIGKILL')
  const row = ['br-ex', 'nl-ex-old', '--', 'set', 'Interface', 'nl-ex-old', 'type=internal', 'external_ids:netloom-owner=faults']
  await rig.vsctl('h3', 'add-port', ...row, '--', 'set', 'Port', 'nl-ex-old', 'external_ids:netloom-owner=faults')
  await rig.startAgent('h3')
  await sleep(3000)
  t.deepEqual(await ownRows(), ['Interface nl-ex-old', 'Port nl-ex-old'])
  await rig.startServer()
  t.log(`removed ${await rig.seen('it is gone', async () => (await ownRows()).length === 0)} ms after the server was there`)
  await rig.seen('h3 says that it is empty', isEmptied)
})

test.serial('a host that comes back has everything again', async (t) => {
  await bringBackH3()
  await rig.seen('the bridge is there', async () => (await rig.vsctl('h3', 'list-br')).includes('br-int'))
  await rig.follow()
  const ms = await rig.until('everything is as it was', (a) => rig.isSettled(a) && areMade(a, 'h3'))
  t.log(`all ACTIVE ${ms} ms after its guests were plugged`)
  t.true((await linkNames(rig, 'h3')).includes('nl-made-v'))
  t.deepEqual(await rig.wrong(), [])
})

test.serial(
  'a host that leaves while its agent is away is told so, named with what it holds, and emptied when the agent is back',
  async (t) => {
    const before = await everything(rig)
    await rig.stopAgent('h3', 'SIGKILL')
    await removeH3()
    await rig.seen('its state is told', async () => (await notes())?.startsWith('left the repository, still holds 5 ports') === true)
    t.true((await ownRows()).length > 6)
    await rig.startAgent('h3')
    t.log(`emptied ${await rig.seen('h3 says that it is empty', isEmptied)} ms after its agent's start`)
    t.deepEqual(await ownRows(), ['Bridge br-int'])
    t.deepEqual(await ownFlows(), [])
    await bringBackH3()
    await rig.follow()
    await rig.until('everything is as it was', (a) => rig.isSettled(a) && areMade(a, 'h3'))
    t.deepEqual(differences(before, await everything(rig)), [])
    t.deepEqual(await rig.wrong(), [])
  },
)

test.serial('an agent that has lost its memory removes nothing, and says so', async (t) => {
  await rig.stopAgent('h3', 'SIGKILL')
  await rm(join(hostDir(rig.tag, 'h3'), 'agent'), { recursive: true })
  await removeH3()
  await rig.seen('the server has let it go', async () => (await notes())?.startsWith('left the repository') === true)
  const rows = await ownRows()
  const flows = await ownFlows()
  await rig.startAgent('h3')
  await rig.until('h3 says so', (a) => /no memory of what was made here/.test(rig.object(a, makeKey('host', '', 'h3'))?.cause ?? ''))
  t.deepEqual(await ownRows(), rows)
  t.deepEqual((await ownFlows()).sort(), flows.sort())
  await bringBackH3()
  await rig.until('everything is as it was', (a) => rig.isSettled(a) && areMade(a, 'h3'))
  t.deepEqual(await rig.wrong(), [])
})
