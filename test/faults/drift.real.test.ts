import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { StatusAnswer } from '../../src/cli/status.ts'
import { FIRST, SITE } from './repo.ts'
import { Rig } from './rig.ts'
import { flowsOf, flowTexts, rowTexts } from './switch.ts'

let rig: Rig
test.before(async () => {
  rig = await Rig.up({ ...FIRST, 'netloom.yaml': `${SITE}drift: { mode: report }\n` })
})
test.after.always(async () => await rig?.close())

const FOREIGN_FLOW = 'cookie=0x7,table=0,priority=9,in_port=99'

/** What other hands do to h1: a flow deleted, one altered, one added; a key of a row altered, a port added. */
async function meddle(): Promise<void> {
  await rig.ofctl('h1', '--strict', 'del-flows', 'br-int', 'table=0,priority=0')
  await rig.ofctl('h1', '--strict', 'mod-flows', 'br-int', 'table=70,priority=0,actions=drop')
  await rig.ofctl('h1', 'add-flow', 'br-int', `${FOREIGN_FLOW},actions=drop`)
  await rig.vsctl('h1', 'set', 'Interface', 'nl-vxlan', 'options:local_ip=192.0.2.99')
  await rig.vsctl('h1', 'add-port', 'br-int', 'somebody', '--', 'set', 'Interface', 'somebody', 'type=internal')
}

async function cleanForeign(): Promise<void> {
  await rig.ofctl('h1', 'del-flows', 'br-int', 'cookie=0x7/-1')
  await rig.vsctl('h1', 'del-port', 'br-int', 'somebody')
}

const WHAT_MEDDLING_DOES = [
  'altered flow br-int l2 0',
  'altered row Interface nl-vxlan',
  'foreign Port somebody on br-int',
  'foreign flow br-int classify 9 in_port=99',
  'missing flow br-int classify 0',
]

function told(answer: StatusAnswer | undefined): string[] {
  return (answer?.fleet.drift ?? []).map((d) => `${d.kind} ${d.where}`).sort()
}

async function setMode(mode: string): Promise<void> {
  const at = (await rig.status())?.fleet.revision ?? 0
  await rig.write('netloom.yaml', `${SITE}drift: { mode: ${mode} }\n`)
  await rig.until(
    `drift mode ${mode}`,
    (a) => a.fleet.revision > at && a.fleet.targets.every(([h, t]) => a.fleet.agents.some((g) => g.host === h && g.digest === t.digest)),
  )
}

async function sameAs(t: ExecutionContext, flows: readonly string[], rows: string): Promise<void> {
  t.deepEqual(await flowTexts(rig, 'h1'), flows)
  t.is(await rowTexts(rig, 'h1'), rows)
}

test.serial('report: what other hands did is told at once and left, also by an agent that is started again', async (t) => {
  await meddle()
  const flows = await flowTexts(rig, 'h1')
  const rows = await rowTexts(rig, 'h1')
  const ms = await rig.until('all of it is told', (a) => told(a).join() === WHAT_MEDDLING_DOES.join())
  t.log(`told ${ms} ms after the last deed, with the default schedule of five minutes`)
  const since = (await rig.status())?.fleet.drift.map((d) => d.since).sort()
  await sleep(1000)
  await sameAs(t, flows, rows)
  const asked = (await rig.drift()).flatMap((h) => (h.items ?? []).map((i) => `${i.kind} ${i.where}`)).sort()
  t.deepEqual(asked, WHAT_MEDDLING_DOES)
  const owners = (await rig.status())?.fleet.drift.filter((d) => d.kind !== 'foreign').map((d) => d.owners.length)
  t.true(owners?.every((n) => n > 0))
  t.deepEqual((await rig.status())?.fleet.drift.map((d) => d.since).sort(), since)
  await rig.stopAgent('h1', 'SIGKILL')
  await rig.startAgent('h1')
  await sleep(2500)
  t.deepEqual(told(await rig.status()), WHAT_MEDDLING_DOES)
  await sameAs(t, flows, rows)
})

test.serial('report: a change of the repository is carried out beside drift that is left', async (t) => {
  await rig.write(
    'extra.yaml',
    'ports:\n  good: { network: blue, host: h1, fixed_ips: [{ subnet: blue-v4 }], plug: { type: internal, interface: nl-good } }\n',
  )
  await rig.until('good is ACTIVE', (a) => a.fleet.status.some((s) => s.key.endsWith('/good') && s.state === 'ACTIVE'))
  t.deepEqual(told(await rig.status()), WHAT_MEDDLING_DOES)
  await rig.remove('extra.yaml')
  await rig.until('good is gone', (a) => !a.fleet.status.some((s) => s.key.endsWith('/good')))
  t.false((await rowTexts(rig, 'h1')).includes('nl-good'))
  t.deepEqual(told(await rig.status()), WHAT_MEDDLING_DOES)
})

test.serial('repair: the same is put back, and what is not ours is left alone and listed', async (t) => {
  const before = await flowsOf(rig, 'h1')
  await setMode('repair')
  const foreign = WHAT_MEDDLING_DOES.filter((w) => w.startsWith('foreign'))
  await rig.until('only foreign things are told', (a) => rig.isSettled(a) && told(a).join() === foreign.join())
  const after = await flowTexts(rig, 'h1')
  t.true(after.some((f) => f.includes('cookie=0x7,')))
  t.true((await rowTexts(rig, 'h1')).includes('somebody'))
  t.false((await rowTexts(rig, 'h1')).includes('192.0.2.99'))
  t.is(after.filter((f) => !before.has(f)).length, 2, 'only the two flows are written')
  t.deepEqual(await rig.wrong(), [])
})

test.serial('repair: each deed of another hand is undone at once', async (t) => {
  await cleanForeign()
  await rig.settled()
  const flows = await flowTexts(rig, 'h1')
  const rows = await rowTexts(rig, 'h1')
  const deeds: Readonly<Record<string, () => Promise<unknown>>> = {
    'a flow deleted': async () => await rig.ofctl('h1', '--strict', 'del-flows', 'br-int', 'table=0,priority=0'),
    'a flow altered': async () => await rig.ofctl('h1', '--strict', 'mod-flows', 'br-int', 'table=70,priority=0,actions=drop'),
    'a flow of ours too many': async () =>
      await rig.ofctl(
        'h1',
        'add-flow',
        'br-int',
        `${/cookie=0x[0-9a-f]+/.exec(flows[0] ?? '')?.[0]},table=70,priority=77,tcp,actions=drop`,
      ),
    'an option altered': async () => await rig.vsctl('h1', 'set', 'Interface', 'nl-vxlan', 'options:local_ip=192.0.2.99'),
    'our mark removed': async () => await rig.vsctl('h1', 'remove', 'Interface', 'nl-vxlan', 'external_ids', 'netloom-owner'),
    'the tunnel port deleted': async () => await rig.vsctl('h1', 'del-port', 'br-int', 'nl-vxlan'),
    'both ends of the patch deleted': async () => await rig.vsctl('h1', 'del-port', 'nl-int-br-ex', '--', 'del-port', 'nl-ex-br-ex'),
    'protocols that our client does not speak': async () => await rig.vsctl('h1', 'set', 'Bridge', 'br-int', 'protocols=OpenFlow10'),
    'a spanning tree': async () => await rig.vsctl('h1', 'set', 'Bridge', 'br-int', 'stp_enable=true', 'rstp_enable=true'),
    'a controller while no flow of ours can be read': async () => {
      await rig.vsctl('h1', 'set', 'Bridge', 'br-int', 'protocols=OpenFlow13', '--', 'set-controller', 'br-int', 'tcp:127.0.0.1:9')
      await rig.vsctl('h1', 'del-controller', 'br-int')
    },
    'fail_mode altered': async () => await rig.vsctl('h1', 'set-fail-mode', 'br-int', 'standalone'),
  }
  for (const [what, deed] of Object.entries(deeds)) {
    await deed()
    const ms = await rig.seen(
      `${what} is undone`,
      // While a bridge changes its protocols, ovs-ofctl is refused like everybody.
      async () => (await flowTexts(rig, 'h1').catch(() => [])).join() === flows.join() && (await rowTexts(rig, 'h1')) === rows,
      5000,
    )
    t.log(`${what}: undone in ${ms} ms`)
  }
  t.deepEqual(await rig.wrong(), [])
})

test.serial('off: nothing is undone and nothing told', async (t) => {
  await setMode('off')
  await meddle()
  const flows = await flowTexts(rig, 'h1')
  const rows = await rowTexts(rig, 'h1')
  await sleep(1500)
  await sameAs(t, flows, rows)
  t.deepEqual(told(await rig.status()), [])
  await cleanForeign()
  await setMode('repair')
  await rig.settled()
  t.deepEqual(await rig.wrong(), [])
})
