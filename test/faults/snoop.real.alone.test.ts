import { join as joined } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { execOk } from '../../src/lab/exec.ts'
import { ip } from '../../src/lab/frame-build.ts'
import { type Frame, FrameSocket } from '../../src/lab/frames.ts'
import { nowMs } from '../../src/lab/guest/clock.ts'
import type { LossReport } from '../../src/lab/loss.ts'
import { hostDir } from '../../src/lab/names.ts'
import { igmp, records, v4 } from '../support/group-frames.ts'
import { port, Rig } from './rig.ts'
import { flowTexts } from './switch.ts'

const INTERVAL = 2

function site(more: string): string {
  return `installation: faults
igmp_query_interval: ${INTERVAL}
${more}
guards: { delete_count: 1000, delete_ratio: 1, delete_settle_ms: 200 }
`
}
const HOSTS = `hosts:
  h1: { tunnel_ip: 192.0.2.1 }
  h2: { tunnel_ip: 192.0.2.2 }
`
const NET = `networks:
  blue: { network_type: vxlan }
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/16 }
  blue-v6: { network: blue, cidr: 'fd00:10::/64' }
`
/** One sends; of each host one is a member, one is not. */
const HERE: Readonly<Record<string, { readonly host: string; readonly n: number }>> = {
  sender: { host: 'h1', n: 11 },
  near: { host: 'h1', n: 12 },
  'near-not': { host: 'h1', n: 13 },
  far: { host: 'h2', n: 14 },
  'far-not': { host: 'h2', n: 15 },
}
const GROUP4 = '239.1.2.3'
const GROUP6 = 'ff0e::1:2:3'

function ports(): string {
  const lines = Object.entries(HERE).map(
    ([name, { host, n }]) =>
      `  ${name}: { network: blue, host: ${host}, mac_address: 'fa:16:3e:00:00:${n}', fixed_ips: [{ ip_address: 10.10.0.${n} }, { ip_address: 'fd00:10::${n}' }] }`,
  )
  return `ports:\n${lines.join('\n')}\n`
}

const GROUPS = [GROUP4, GROUP6] as const

let rig: Rig
const watch = new Map<string, FrameSocket>()
let before: Readonly<Record<string, readonly string[]>>
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': site(''), 'hosts.yaml': HOSTS, 'net.yaml': NET, 'ports.yaml': ports() })
  await rig.guests.ready(Object.keys(HERE).map(port))
  await execOk(rig.lab, { port: port('sender') }, ['ip', 'route', 'add', '224.0.0.0/4', 'dev', 'eth0'])
  for (const name of ['sender', 'near', 'near-not', 'far', 'far-not'])
    watch.set(name, await FrameSocket.open(rig.lab, { port: port(name) }))
  before = { h1: await flowTexts(rig, 'h1'), h2: await flowTexts(rig, 'h2') }
})
test.after.always(async () => {
  await Promise.all([...watch.values()].map((socket) => socket.close()))
  await rig?.close()
})

async function join(name: string, ...groups: readonly string[]): Promise<void> {
  for (const group of groups) await rig.guests.ask(port(name), { op: 'join', group, from: addressOf(name) })
}

async function leave(name: string, ...groups: readonly string[]): Promise<void> {
  for (const group of groups) await rig.guests.ask(port(name), { op: 'leave', group })
}

function addressOf(name: string): string {
  return `10.10.0.${HERE[name]?.n}`
}

async function changeSite(more: string): Promise<void> {
  const at = (await rig.status())?.fleet.revision ?? 0
  await rig.write('netloom.yaml', site(more))
  await rig.committed(at + 1)
  await rig.settled()
}

/** Flows that the agent of a host made of what it heard. */
async function heard(host: string): Promise<readonly string[]> {
  const tables = await Promise.all(
    [78, 79].map(async (n) => await rig.ofctl(host, '--no-names', '--no-stats', 'dump-flows', 'br-int', `table=${n}`)),
  )
  return tables.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line.includes('actions='))
      .map((line) => line.trim()),
  )
}

/** Copies are held back from ports that did not ask, on both hosts, or on none. */
async function filtering(yes = true): Promise<number> {
  return await rig.seen(`the hosts ${yes ? '' : 'do not '}know who is a member`, async () => {
    const flows = await Promise.all(rig.hosts.map(heard))
    return flows.every((list) => (list.some((f) => f.includes('table=78')) && list.some((f) => f.includes('priority=100,ip,'))) === yes)
  })
}

/** How many frames for a group came to the interfaces of guests, whatever their kernels did with them. */
function copies(group: string, ...names: readonly string[]): readonly number[] {
  return names.map(
    (name) =>
      watch
        .get(name)
        ?.received()
        .filter((f) => isFor(f, group)).length ?? -1,
  )
}

/** By default UDP. */
function isFor({ bytes }: Frame, group: string, protocol = 17): boolean {
  const v6 = group.includes(':')
  if (bytes.readUInt16BE(12) !== (v6 ? 0x86dd : 0x0800)) return false
  return (v6 ? bytes.subarray(38, 54) : bytes.subarray(30, 34)).equals(ip(group)) && bytes.readUInt8(v6 ? 20 : 23) === protocol
}

/** Whether guests see IGMP for the group itself: reports of IGMPv2, and questions about it. */
function sayings(...names: readonly string[]): readonly boolean[] {
  return names.map(
    (name) =>
      watch
        .get(name)
        ?.received()
        .some((f) => isFor(f, GROUP4, 2)) ?? false,
  )
}

/** What a guest sends past its kernel. */
function say(name: string, message: Buffer, to: string, protocol = 2): void {
  watch.get(name)?.send(igmp(message, { src: `fa:16:3e:00:00:${HERE[name]?.n}`, from: addressOf(name), to, protocol }))
}

function forget(): void {
  for (const socket of watch.values()) socket.clear()
}

let number = 0

/** The first frames of a stream may be lost while the tunnel to another host sees its first use. */
const WARM_MS = 250

/** A counted stream to each group; `end` tells what members got of it, from when it was under way. */
async function stream(pps = 300): Promise<{ end(...members: readonly string[]): Promise<readonly LossReport[]> }> {
  const flows = GROUPS.map((address) => ({ address, flow: ++number }))
  for (const { address, flow } of flows) await rig.guests.ask(port('sender'), { op: 'flow-send', flow, address, pps })
  await sleep(WARM_MS)
  const warm = nowMs()
  return {
    async end(...members) {
      const reports: LossReport[] = []
      for (const { flow } of flows) {
        const ended = await rig.guests.ask(port('sender'), { op: 'flow-end', flow })
        await sleep(100)
        for (const name of members) {
          const report: LossReport = await rig.guests.ask(port(name), { op: 'flow-count', flow, ended })
          const cold = report.holes.filter((h) => h.from_ms < warm).reduce((sum, h) => sum + h.lost, 0)
          reports.push({ ...report, lost: report.lost - cold })
        }
      }
      return reports
    },
  }
}

function allCame(t: ExecutionContext, reports: readonly LossReport[], what: string): void {
  for (const { sent, lost, duplicates, receiver_dropped: full, largest_gap_ms: gap } of reports) {
    t.log(`${what}: ${lost} of ${sent} lost, ${duplicates} twice, largest gap ${gap.toFixed(1)} ms`)
    t.true(sent > 20)
    t.deepEqual([lost - full, duplicates], [0, 0], what)
  }
}

test.serial('without snooping everyone gets every group; members lose nothing when it begins, and nobody else gets it then', async (t) => {
  await join('near', ...GROUPS)
  await join('far', ...GROUPS)
  const running = await stream()
  await sleep(300)
  for (const group of GROUPS) t.true(copies(group, 'near-not', 'far-not').every((n) => n > 10))
  await changeSite('igmp_snooping_enable: true')
  t.log(`it is known who is a member after ${await filtering()} ms`)
  await sleep(300)
  forget()
  await sleep(500)
  for (const group of GROUPS) {
    const got = copies(group, 'near', 'near-not', 'far', 'far-not')
    t.log(`${group}: frames at member and other of each host: ${got.join(', ')}`)
    t.deepEqual(
      got.map((n) => n > 50),
      [true, false, true, false],
    )
    t.deepEqual([got[1], got[3]], [0, 0])
  }
  allCame(t, await running.end('near', 'far'), 'turned on')
})

test.serial('who joins gets the group at once, who leaves it soon no more; groups of the link and of nobody', async (t) => {
  const running = await stream()
  forget()
  await join('near-not', GROUP4)
  await join('far-not', GROUP6)
  t.log(
    `joined: ${await rig.seen('frames come', async () => copies(GROUP4, 'near-not')[0] !== 0 && copies(GROUP6, 'far-not')[0] !== 0, 1000)} ms`,
  )
  t.deepEqual([...copies(GROUP6, 'near-not'), ...copies(GROUP4, 'far-not')], [0, 0])
  await leave('near-not', GROUP4)
  await leave('far-not', GROUP6)
  const gone = await rig.seen('no frame comes any more', async () => {
    forget()
    await sleep(200)
    return copies(GROUP4, 'near-not')[0] === 0 && copies(GROUP6, 'far-not')[0] === 0
  })
  t.log(`left: ${gone} ms`)
  allCame(t, await running.end('near', 'far'), 'others join and leave')
  t.deepEqual(
    await rig.drift(),
    rig.hosts.map((host) => ({ host, items: [] })),
  )
})

test.serial('a flow of a member that another hand takes away is put back, and what it puts there taken away', async (t) => {
  const flows = await heard('h1')
  const member = flows.find((f) => f.includes(`nw_dst=${GROUP4}`)) ?? ''
  t.not(member, '')
  await rig.ofctl('h1', '--strict', 'del-flows', 'br-int', `table=79,${/priority.*(?= actions)/.exec(member)?.[0]}`)
  await rig.seen('the flow is back', async () => (await heard('h1')).includes(member))
  const forged = member.replace(GROUP4, '239.9.9.9')
  await rig.ofctl('h1', 'add-flow', 'br-int', forged.replace(' actions', ',actions').replace(/^ *cookie=([^,]+), /, 'cookie=$1,'))
  await rig.seen('the forged flow is gone', async () => !(await heard('h1')).some((f) => f.includes('239.9.9.9')))
  await rig.ofctl('h1', 'del-flows', 'br-int', 'table=78')
  await rig.seen('the agent is alive', async () => (await heard('h1')).some((f) => f.includes('table=78')), 1000)
  t.deepEqual(
    (await rig.drift()).flatMap((h) => h.items ?? []),
    [],
  )
  const made = await heard('h1')
  const dir = hostDir(rig.tag, 'h1')
  const agentd = ['--host', 'h1', '--state-dir', joined(dir, 'agent'), '--rundir', dir]
  t.is((await rig.on('h1', process.execPath, 'build/agentd/main.js', 'drift', ...agentd)).trim(), 'No drift.')
  t.deepEqual(await heard('h1'), made, 'who only looks touches nothing')
})

test.serial('the agent dies: members lose nothing, soon everyone gets every group; it comes back, and all is as before', async (t) => {
  const running = await stream()
  for (const host of rig.hosts) await rig.stopAgent(host, 'SIGKILL')
  forget()
  const open = await rig.seen('others get the group', async () => copies(GROUP4, 'near-not', 'far-not').every((n) => n > 0))
  t.log(`everyone gets it after ${open} ms`)
  t.true(open < 4000)
  t.true(copies(GROUP6, 'near-not', 'far-not').every((n) => n > 0))
  for (const host of rig.hosts) await rig.startAgent(host)
  await filtering()
  await sleep(300)
  forget()
  await sleep(300)
  t.deepEqual(copies(GROUP4, 'near-not', 'far-not'), [0, 0])
  allCame(t, await running.end('near', 'far'), 'agent killed and back')
})

test.serial('reports of IGMPv2 are heard by routers, and by no host that would keep silent then; a router gets every group', async (t) => {
  for (const name of ['near', 'near-not'])
    await execOk(rig.lab, { port: port(name) }, ['sh', '-c', 'echo 2 > /proc/sys/net/ipv4/conf/eth0/force_igmp_version'])
  say('far-not', Buffer.alloc(8), '224.0.0.13', 103)
  await rig.seen('the router is known', async () => (await heard('h2')).some((f) => !f.includes('nw_dst') && f.includes('priority=50,')))
  const running = await stream()
  forget()
  await leave('near', GROUP4)
  await join('near', GROUP4)
  await rig.seen('the router hears the report', async () => sayings('far-not')[0] === true)
  await sleep(100)
  t.deepEqual(sayings('near-not', 'far'), [false, false])
  t.true(copies(GROUP4, 'far-not')[0] !== 0 && copies(GROUP6, 'far-not')[0] !== 0)
  t.deepEqual(copies(GROUP4, 'near-not'), [0])
  allCame(t, await running.end('far'), 'a router came')
})

test.serial(
  'a guest that asks for hundreds of groups gets all, and nobody else anything; one that shouts makes the host flood',
  async (t) => {
    const running = await stream()
    forget()
    say('near-not', records(0x22, ...Array.from({ length: 140 }, (_, n) => [4, `239.7.7.${n}`] as const)), '224.0.0.22')
    await rig.seen('it gets a group it never asked for', async () => copies(GROUP4, 'near-not')[0] !== 0, 1000)
    const flows = await heard('h1')
    t.is(flows.filter((f) => f.includes('nw_dst=239.7.7.')).length, 128)
    t.true(flows.some((f) => f.includes('priority=100,ip,')))
    allCame(t, await running.end('near', 'far'), 'beside a guest that asks for hundreds')
    for (let n = 0; n < 1000; n++) say('near-not', records(0x22, [4, '239.7.8.1']), '224.0.0.22')
    await rig.seen('h1 floods', async () => !(await heard('h1')).some((f) => f.includes('priority=100,ip,')), 2000)
    t.true((await heard('h2')).some((f) => f.includes('priority=100,ip,')))
    t.true((await rig.agentLog('h1')).some((l) => l.msg?.startsWith('too much is said of multicast groups') === true))
  },
)

test.serial('without a querier everyone gets every group; once a router asks, members only, and they hear its questions', async (t) => {
  const running = await stream()
  await changeSite('igmp_snooping_enable: true\nigmp_querier: false')
  await filtering(false)
  forget()
  await sleep(200)
  t.true(copies(GROUP4, 'near-not', 'far-not').every((n) => n > 0))
  const ask = (): void => say('sender', v4(0x11, '0.0.0.0', 10), '224.0.0.1')
  ask()
  const asking = setInterval(ask, 1000)
  try {
    t.log(`a whole interval was heard after ${await filtering()} ms`)
    t.false(
      (await heard('h1')).some((f) => f.includes('priority=100,ipv6')),
      'nobody asks by MLD',
    )
    await sleep(200)
    forget()
    say('sender', v4(0x11, GROUP4, 10), GROUP4)
    await rig.seen('questions about a group reach everyone', async () => sayings('near', 'far').every((yes) => yes), 1000)
    await sleep(200)
    t.deepEqual(copies(GROUP4, 'near-not', 'far-not'), [0, 0])
    t.true(copies(GROUP6, 'near-not', 'far-not').every((n) => n > 0))
  } finally {
    clearInterval(asking)
  }
  allCame(t, await running.end('near', 'far'), 'asked by a router')
})

test.serial('turned off: flows are as they were before, and members lose nothing', async (t) => {
  const running = await stream()
  // One host learns of it by an agent that never knew what it made.
  await rig.stopAgent('h2', 'SIGKILL')
  const at = (await rig.status())?.fleet.revision ?? 0
  await rig.write('netloom.yaml', site(''))
  await rig.committed(at + 1)
  await rig.startAgent('h2')
  await rig.settled()
  await rig.seen('nothing is left', async () => (await Promise.all(rig.hosts.map(heard))).every((f) => f.length === 0))
  allCame(t, await running.end('near', 'far'), 'turned off')
  t.deepEqual({ h1: await flowTexts(rig, 'h1'), h2: await flowTexts(rig, 'h2') }, before)
  t.notRegex(await rig.ofctl('h1', 'dump-meters', 'br-int'), /meter=/)
})
