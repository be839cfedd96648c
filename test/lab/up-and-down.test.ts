import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { exec, execOk } from '../../src/lab/exec.ts'
import { daemonPid, startVswitchd, stopVswitchd } from '../../src/lab/faults.ts'
import { type LabStep, labDown, labOpen, labUp } from '../../src/lab/lab.ts'
import { labDir, wireNetns } from '../../src/lab/names.ts'
import { labStatus } from '../../src/lab/status.ts'
import { findRemains, isClean } from '../../src/lab/sweep.ts'
import { testTag } from '../support/tag.ts'
import { guest, host, port, startLab } from './support.ts'

test.serial('up makes what the spec says, status reads it back from the machine, down leaves nothing', async (t) => {
  const lab = await startLab(t, { hosts: [host(1), host(2)], guests: [guest(1, 1), guest(2, 1)] })
  const status = await labStatus(lab.tag)
  t.is(status.state, 'up')
  t.deepEqual(
    status.hosts.map((h) => [h.name, h.switch]),
    [
      ['h1', 'running'],
      ['h2', 'running'],
    ],
  )
  t.deepEqual(
    status.guests.map((g) => [g.port, g.interface]),
    [
      [port('p11'), 'plugged'],
      [port('p21'), 'plugged'],
    ],
  )
  const ids = await execOk(lab, { host: 'h1' }, [
    'ovs-vsctl',
    '--bare',
    '--columns=external_ids',
    'find',
    'Interface',
    'name=tap11000000-00',
  ])
  t.regex(ids, /attached-mac="?fa:16:3e:00:01:01"? iface-id="?11000000-0000-4000-8000-000000000000"?/)
  t.is((await execOk(lab, { host: 'h1' }, ['ovs-vsctl', 'get', 'Bridge', 'br-int', 'datapath_type', 'fail_mode'])).trim(), 'netdev\nsecure')

  const found = await labDown(lab.tag)
  t.is(found.netns.length, 5)
  t.true(isClean(await findRemains(lab.tag)))
  t.is((await labStatus(lab.tag)).state, 'none')
  t.is(await labOpen(lab.tag), undefined)
  t.false(await isThere(`${labDir(lab.tag)}.lock`))
})

test.serial('a second up does nothing, and an up with another spec changes only what differs', async (t) => {
  const spec = { hosts: [host(1), host(2)], guests: [guest(1, 1), guest(2, 1)] }
  const { tag } = await startLab(t, spec)
  const steps: LabStep[] = []
  const note = (step: LabStep): unknown => steps.push(step)
  const before = await daemonPid(await labUp(tag, spec, note), 'h1', 'ovs-vswitchd')
  t.deepEqual(steps, [])

  await labUp(tag, { ...spec, guests: [guest(1, 1, { addresses: ['10.10.1.77/16'] }), guest(2, 1), guest(2, 2)] }, note)
  t.deepEqual(steps.map((s) => `${s.what} ${s.name}`).sort(), ['guests h1: 1', 'guests h2: 1', 'removed guests h1: 1'])
  steps.length = 0

  const lab = await labUp(tag, { hosts: [host(1), host(3)], guests: [guest(1, 1), guest(3, 1)] }, note)
  t.deepEqual(steps.map((s) => `${s.what} ${s.name}`).sort(), [
    'guests h1: 1',
    'guests h3: 1',
    'host h3',
    'removed guests h1: 1',
    'removed host h2',
  ])
  t.is(await daemonPid(lab, 'h1', 'ovs-vswitchd'), before, 'a host that stays keeps its switch')
  t.regex(await execOk(lab, { port: port('p11') }, ['ip', '-br', 'addr', 'show', 'eth0']), /10\.10\.1\.1\/16/)
  t.false((await findRemains(tag)).netns.some((n) => n.endsWith('h2') || n.endsWith('p21')))
})

test.serial('two labs from one spec live side by side, and down of one leaves the other', async (t) => {
  const spec = { hosts: [host(1)], guests: [guest(1, 1)] }
  const [a, b] = await Promise.all([startLab(t, spec), startLab(t, spec)])
  await labDown(a.tag)
  t.true(isClean(await findRemains(a.tag)))
  t.is((await labStatus(b.tag)).hosts[0]?.switch, 'running')
  t.is((await labStatus(b.tag)).guests[0]?.interface, 'plugged')
})

test.serial('a lab on a wire of Open vSwitch, for kernels without bridges', async (t) => {
  const lab = await startLab(t, { hosts: [host(1), host(2)], guests: [], wire: 'ovs' })
  t.is(lab.wire, 'ovs')
  t.is((await exec(lab, { host: 'h1' }, ['ping', '-n', '-c', '1', '-w', '5', '192.0.2.2'])).code, 0)
})

test.serial('tunnel addresses of both families answer between hosts', async (t) => {
  const lab = await startLab(t, { hosts: [host(1, 6), host(2, 6)], guests: [] })
  t.is((await exec(lab, { host: 'h1' }, ['ping', '-n', '-c', '1', '-w', '5', 'fd11::2'])).code, 0)
})

test.serial('the tunnel address stays on its bridge when vswitchd crashes and comes back', async (t) => {
  const lab = await startLab(t, { hosts: [host(1), host(2)], guests: [] })
  await stopVswitchd(lab, 'h1', 'SIGKILL')
  t.is((await labStatus(lab.tag)).hosts[0]?.switch, 'stopped')
  await startVswitchd(lab, 'h1')
  t.is((await labStatus(lab.tag)).hosts[0]?.switch, 'running')
  t.is((await exec(lab, { host: 'h1' }, ['ping', '-n', '-c', '1', '-w', '5', '192.0.2.2'])).code, 0)
})

test.serial('a guest that the agent will plug gets only its namespace, under the name the host was told', async (t) => {
  const lab = await startLab(t, { hosts: [host(1)], guests: [guest(1, 1, { plug: 'agent', netns: 'web' })] })
  t.is((await labStatus(lab.tag)).guests[0]?.interface, 'by the agent')
  t.is((await execOk(lab, { host: 'h1' }, ['ip', 'netns', 'list'])).trim(), 'web')
  await execOk(lab, { host: 'h1' }, ['ip', '-n', 'web', 'link', 'set', 'lo', 'up'])
  t.regex(await execOk(lab, { port: port('p11') }, ['ip', '-br', 'link', 'show', 'lo']), /UNKNOWN|UP/)
})

test.serial('a program that runs on a host sees namespaces that are made later', async (t) => {
  const lab = await startLab(t, { hosts: [host(1)], guests: [] })
  const waits = exec(lab, { host: 'h1' }, ['sh', '-c', 'until ip -n late link set lo up 2> /dev/null; do sleep 0.05; done; echo seen'])
  await labUp(lab.tag, { hosts: [host(1)], guests: [guest(1, 1, { plug: 'agent', netns: 'late' })] })
  t.is((await waits).stdout, 'seen\n')
})

test.serial('a wrong name is answered with the right ones', async (t) => {
  const lab = await startLab(t, { hosts: [host(1)], guests: [] })
  await t.throwsAsync(async () => await exec(lab, { host: 'h9' }, ['true']), { code: 'no_such_host', message: /there are: h1/ })
  await t.throwsAsync(async () => await exec(lab, { port: port('x') }, ['true']), { code: 'no_such_guest' })
})

test.serial('while one process makes a lab, another is told so', async (t) => {
  const tag = testTag()
  t.teardown(async () => {
    await labDown(tag)
  })
  const first = labUp(tag, { hosts: [host(1)], guests: [] })
  while (!(await isThere(`${labDir(tag)}.lock`))) await sleep(1)
  await t.throwsAsync(async () => await labUp(tag, { hosts: [], guests: [] }), { code: 'busy' })
  await first
  t.is(wireNetns(tag), `nl-${tag}-wire`)
})

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}
