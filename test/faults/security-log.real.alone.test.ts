import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { OWN_METERS } from '../../agentd/backends/ovs/compile/meters.ts'
import { hostDir } from '../../src/lab/names.ts'
import { lossDuring, probe } from '../../src/lab/probe.ts'
import { isPacket, type LogEntry, type LogLine, type PacketEntry, type PacketLine } from '../../src/model/log-entry.ts'
import { securityLogPath } from '../../src/server/security-log.ts'
import { port, Rig } from './rig.ts'
import { flowsOf, flowTexts, rewritten } from './switch.ts'

const exec = promisify(execFile)

const SITE = `installation: faults
guards: { delete_count: 1000, delete_ratio: 1, delete_settle_ms: 200 }
`
const NET = `hosts:
  h1: { tunnel_ip: 192.0.2.1 }
  h2: { tunnel_ip: 192.0.2.2 }
networks:
  blue: { network_type: vxlan }
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/16 }
  blue-v6: { network: blue, cidr: 'fd00:10::/64' }
ports:
  client: { network: blue, host: h1, security_groups: [client], fixed_ips: [{ ip_address: 10.10.0.11 }, { ip_address: 'fd00:10::11' }] }
  web: { network: blue, host: h1, security_groups: [web], fixed_ips: [{ ip_address: 10.10.0.12 }, { ip_address: 'fd00:10::12' }] }
  far: { network: blue, host: h2, security_groups: [far], fixed_ips: [{ ip_address: 10.10.0.22 }, { ip_address: 'fd00:10::22' }] }
  db: { network: blue, host: h1, security_groups: [db], fixed_ips: [{ ip_address: 10.10.0.31 }, { ip_address: 'fd00:10::31' }] }
  free: { network: blue, host: h2, security_groups: [free], fixed_ips: [{ ip_address: 10.10.0.32 }, { ip_address: 'fd00:10::32' }] }
address_groups:
  offices: { addresses: [10.10.0.22/32] }
`
/** The first rule of db is in line 4. */
const RULES = [
  '{ direction: ingress, protocol: tcp, port_range_min: 7001, port_range_max: 7001, remote_group: web }',
  '{ direction: ingress, protocol: tcp, port_range_min: 7000, port_range_max: 7100, remote_address_group: offices }',
  '{ direction: ingress, protocol: udp, port_range_min: 7000, port_range_max: 7003, remote_ip_prefix: 10.10.0.12/32 }',
  '{ direction: ingress, protocol: icmp, remote_group: web }',
  '{ direction: ingress, ethertype: IPv6, protocol: tcp, port_range_min: 7001, port_range_max: 7001 }',
  '{ direction: ingress, ethertype: IPv6, protocol: icmp, port_range_min: 128, port_range_max: 0, remote_group: far }',
]
const OPEN = `  client: { rules: [{ direction: ingress }] }
  web: { rules: [{ direction: ingress }] }
  far: {}
  free: { rules: [{ direction: ingress }] }
`

function groups(rules: readonly string[], above = ''): string {
  return `security_groups:\n${above}  db:\n    rules:\n${rules.map((rule) => `      - ${rule}\n`).join('')}${OPEN}`
}

const LOGS = `logs:
  db: { security_group: db }
  out: { port: web, event: ACCEPT }
`

let rig: Rig
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': SITE, 'net.yaml': NET, 'groups.yaml': groups(RULES) }, 'agents')
  await git('init', '-q', '-b', 'main')
  await commit('the network as it was')
  await rig.startServer()
  await rig.settled()
  await rig.guests.ready(['client', 'web', 'far', 'db', 'free'].map(port))
})
test.after.always(async () => await rig?.close())

async function git(...args: readonly string[]): Promise<string> {
  const who = ['-c', 'user.name=Ops', '-c', 'user.email=ops@example.org', '-c', 'commit.gpgsign=false']
  return (await exec('git', ['-C', rig.dir, ...who, ...args])).stdout.trim()
}

async function commit(subject: string): Promise<string> {
  await git('add', '-A')
  await git('commit', '-q', '-m', subject)
  return await git('rev-parse', 'HEAD')
}

async function change(name: string, text: string): Promise<void> {
  const at = (await rig.status())?.fleet.revision ?? 0
  await rig.write(name, text)
  await rig.committed(at + 1)
  await rig.settled()
}

type HostLine = LogEntry & { readonly host: string; readonly revision: number }

/** What a host wrote down. */
async function told(host = 'h1'): Promise<readonly HostLine[]> {
  const text = await readFile(join(hostDir(rig.tag, host), 'agent', 'log', 'security.jsonl'), 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter((l) => l !== '')
    .map((l) => JSON.parse(l) as HostLine)
}

/** Packets that a host wrote down beyond the first `from` lines. */
async function packets(from: number): Promise<readonly (HostLine & PacketEntry)[]> {
  return (await told()).slice(from).filter(isPacket)
}

/** What the server wrote down. */
async function kept(): Promise<readonly LogLine[]> {
  const text = await readFile(securityLogPath(rig.stateFile), 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter((l) => l !== '')
    .map((l) => JSON.parse(l) as LogLine)
}

async function netloomLogs(name: string): Promise<readonly LogLine[]> {
  return (await rig.netloom<{ readonly lines: readonly LogLine[] }>('logs', name, '--dir', rig.dir)).lines
}

function words({ verdict, direction, port: of, group, rule, cause, src, dst }: PacketEntry): string {
  return `${verdict} ${direction} ${of} ${src}>${dst} ${rule === undefined ? cause : `${group}: ${rule}`}`
}

/** Waits for as many lines, and a moment longer: none is to be there twice. */
async function wordsOf(t: ExecutionContext, from: number, count: number): Promise<readonly string[]> {
  await rig
    .seen(`${count} lines`, async () => (await packets(from)).length >= count, 5000)
    .catch((error: unknown) => t.log(String(error).slice(0, 200)))
  await sleep(500)
  return (await packets(from)).map(words).sort()
}

async function meters(): Promise<readonly string[]> {
  const lines = (await rig.ofctl('h1', 'dump-meters', 'br-int')).match(/meter=\d+/g) ?? []
  return lines.filter((m) => Number(m.slice(6)) >= OWN_METERS.first)
}

let plain: readonly string[] = []

test.serial('turning it on loses no packet of who is logged, and changes no flow of who is not', async (t) => {
  plain = await flowTexts(rig, 'h1')
  const far = await flowsOf(rig, 'h2')
  const { udp, tcp } = await lossDuring(rig.guests, { from: port('web'), to: port('db'), address: '10.10.0.31' }, async () => {
    await change('logs.yaml', LOGS)
    await change('logs.yaml', LOGS.replace('security_group: db', 'security_group: db, event: DROP'))
    await change('logs.yaml', LOGS.replace('security_group: db', 'security_group: db, enabled: false'))
    await change('logs.yaml', LOGS)
  })
  t.is(udp.lost, 0, `of ${udp.sent}, largest gap ${udp.largest_gap_ms.toFixed(1)} ms`)
  t.true(tcp.ok)
  t.deepEqual(rewritten(far, await flowsOf(rig, 'h2')), [], 'on the host of none that is logged')
  t.is((await meters()).length, 2)
  await commit('logs')
})

test.serial('each connection is told once at each port that is logged, with the rule that lets it pass', async (t) => {
  await sleep(500)
  const from = (await told()).length
  const reach = async (who: string, address: string, kind: 'tcp' | 'udp' | 'ping'): Promise<void> => {
    t.true((await probe(rig.guests, port(who), address, kind, 3000)).ok, `${who} ${address} ${kind}`)
  }
  await reach('web', '10.10.0.31', 'tcp')
  await reach('far', '10.10.0.31', 'tcp')
  await reach('web', '10.10.0.31', 'udp')
  await reach('web', '10.10.0.31', 'ping')
  await reach('client', 'fd00:10::31', 'tcp')
  await reach('far', 'fd00:10::31', 'ping')
  await reach('web', '10.10.0.11', 'tcp')
  // One way only: to conntrack it stays new until it is answered.
  await rig.guests.ask(port('web'), { op: 'flow-send', flow: 5, address: '10.10.0.31', pps: 100 })
  await sleep(300)
  t.true((await rig.guests.ask(port('web'), { op: 'flow-end', flow: 5 })).sent > 10)
  const db = 'ACCEPT ingress port/default/db'
  const out = 'ACCEPT egress port/default/web'
  const any = 'security_group/default/web: any to anybody'
  t.deepEqual(
    await wordsOf(t, from, 12),
    [
      `${db} 10.10.0.12>10.10.0.31 security_group/default/db: tcp 7001 from group web`,
      `${db} 10.10.0.22>10.10.0.31 security_group/default/db: tcp 7000-7100 from address group offices`,
      ...[1, 2].map(() => `${db} 10.10.0.12>10.10.0.31 security_group/default/db: udp 7000-7003 from 10.10.0.12/32`),
      `${db} 10.10.0.12>10.10.0.31 security_group/default/db: icmp from group web`,
      `${db} fd00:10::11>fd00:10::31 security_group/default/db: tcp 7001 from anybody`,
      `${db} fd00:10::22>fd00:10::31 security_group/default/db: ipv6-icmp type 128 code 0 from group far`,
      ...['31', '31', '31', '31', '11'].map((n) => `${out} 10.10.0.12>10.10.0.${n} ${any}`),
    ].sort(),
  )
  const tcp = (await packets(from)).find((p) => p.direction === 'ingress' && p.protocol === 6 && p.src === '10.10.0.12')
  t.like(tcp, { host: 'h1', dst_port: 7001, ethertype: 'IPv4', logs: ['log/default/db'], groups: ['security_group/default/db'] })
})

test.serial('what no rule lets in is told, and what it is told of', async (t) => {
  const from = (await told()).length
  t.false((await probe(rig.guests, port('client'), '10.10.0.31', 'tcp', 300)).ok)
  t.false((await probe(rig.guests, port('client'), 'fd00:10::31', 'udp', 150)).ok)
  t.true((await probe(rig.guests, port('client'), '10.10.0.32', 'tcp', 3000)).ok, 'a port that no log means')
  await rig.seen('both are told', async () => new Set((await packets(from)).map(words)).size >= 2, 5000)
  await sleep(300)
  const dropped = new Set((await packets(from)).map(words))
  t.deepEqual([...dropped].sort(), [
    'DROP ingress port/default/db 10.10.0.11>10.10.0.31 no rule',
    'DROP ingress port/default/db fd00:10::11>fd00:10::31 no rule',
  ])
})

test.serial('netloom logs: the place of the rule and the commit that brought it; after an edit the new line', async (t) => {
  const first = await git('rev-list', '--max-parents=0', 'HEAD')
  const lineOf = async (): Promise<PacketLine> => {
    const before = (await kept()).length
    t.true((await probe(rig.guests, port('web'), '10.10.0.31', 'tcp', 3000)).ok)
    let found: PacketLine | undefined
    await rig.seen('it is there', async () => {
      found = (await kept())
        .slice(before)
        .filter(isPacket)
        .find((l) => l.direction === 'ingress' && l.protocol === 6)
      return found !== undefined
    })
    return found as PacketLine
  }
  const before = await lineOf()
  t.like(before, {
    host: 'h1',
    rule: 'tcp 7001 from group web',
    place: 'groups.yaml:4:9',
    changed: { commit: first, subject: 'the network as it was' },
  })
  const id = await (async () => {
    await change(
      'groups.yaml',
      groups(['{ direction: ingress, protocol: tcp, port_range_min: 80, port_range_max: 80 }', ...RULES], '  # above\n'),
    )
    return await commit('db: http')
  })()
  t.like(await lineOf(), { place: 'groups.yaml:6:9', changed: { commit: first } }, 'the rule is older than the group is now')
  // Lines alone: no revision.
  await rig.write(
    'groups.yaml',
    `# one more\n${groups(['{ direction: ingress, protocol: tcp, port_range_min: 80, port_range_max: 80 }', ...RULES], '  # above\n')}`,
  )
  await sleep(600)
  t.like(await lineOf(), { place: 'groups.yaml:7:9' })
  const drops = (await kept()).filter(isPacket).filter((l) => l.verdict === 'DROP')
  t.like(drops[0], { places: ['groups.yaml:2:3'], changed: { commit: first } })
  t.false((await probe(rig.guests, port('client'), '10.10.0.31', 'tcp', 300)).ok)
  await rig.seen('a drop of now', async () =>
    (await kept()).filter(isPacket).some((l) => l.verdict === 'DROP' && l.places?.[0] === 'groups.yaml:4:3'),
  )
  t.is((await netloomLogs('client')).length, 0)
  t.true(id.length > 0)
  const { stdout } = await exec(process.execPath, [
    'build/src/cli/main.js',
    'logs',
    'db',
    '--dir',
    rig.dir,
    '--state',
    rig.stateFile,
    '-n',
    '100',
  ])
  t.regex(
    stdout,
    /h1 ACCEPT ingress default\/db|h1 ACCEPT ingress db tcp 10\.10\.0\.12:\d+ > 10\.10\.0\.31:7001 {2}tcp 7001 from group web, rule of db \(groups\.yaml:7:9, git [0-9a-f]{12} "the network as it was"\)/,
  )
  t.log(stdout.split('\n').slice(-4).join('\n'))
})

test.serial('a flood of what is dropped: as many lines as the site allows, the others counted; nobody else loses a packet', async (t) => {
  const from = (await told()).length
  /** Frames that no rule let in, as the switch counted them. */
  const counted = async (): Promise<number> =>
    [...(await flowsOf(rig, 'h1'))].reduce((sum, [text, flow]) => sum + (text.includes('userdata=01.01.01') ? flow.packets : 0), 0)
  const before = await counted()
  let sent = 0
  const { udp, tcp } = await lossDuring(rig.guests, { from: port('web'), to: port('free'), address: '10.10.0.32', pps: 500 }, async () => {
    await rig.guests.ask(port('client'), { op: 'flow-send', flow: 77, address: '10.10.0.31', pps: 20_000 })
    await sleep(2000)
    ;({ sent } = await rig.guests.ask(port('client'), { op: 'flow-end', flow: 77 }))
  }).catch((error: unknown) => {
    throw new Error(`the others: ${String(error)}`)
  })
  await sleep(2500)
  const dropped = (await counted()) - before
  const lines = (await told()).slice(from)
  const written = lines.filter((l) => isPacket(l) && l.verdict === 'DROP').length
  const suppressed = lines.reduce((sum, l) => sum + ('suppressed' in l && l.verdict === 'DROP' ? l.suppressed : 0), 0)
  t.log(`${sent} sent in 2 s, ${dropped} dropped, ${written} lines, ${suppressed} counted; UDP of others: ${udp.lost} of ${udp.sent} lost`)
  t.true(dropped > 5000, `${sent} sent, ${dropped} dropped`)
  t.true(written >= 100 && written < 600, String(written))
  t.true(Math.abs(dropped - written - suppressed) < dropped * 0.02, `${dropped} = ${written} + ${suppressed}`)
  t.true(lines.length < 620, String(lines.length))
  t.is(udp.lost, 0)
  t.true(tcp.ok)
})

test.serial('drift is seen and put back: flows, and meters with what names them', async (t) => {
  const clean = async (): Promise<readonly object[]> => (await rig.drift()).flatMap((h) => h.items ?? [])
  t.deepEqual(await clean(), [])
  const flows = await flowTexts(rig, 'h1')
  const same = async (): Promise<boolean> => (await flowTexts(rig, 'h1')).join() === flows.join() && (await meters()).length === 2
  await rig.ofctl('h1', 'del-flows', 'br-int', 'table=91')
  await rig.seen('the flows are back', same, 5000)
  // Another meter takes the place of ours in the datapath before ours is back: copies must not be held against it.
  const [mine = ''] = await meters()
  process.kill(rig.agentPid('h1'), 'SIGSTOP')
  await rig.ofctl('h1', 'del-meters', 'br-int')
  await rig.ofctl('h1', 'add-meter', 'br-int', 'meter=7,pktps,bands=type=drop,rate=1')
  process.kill(rig.agentPid('h1'), 'SIGCONT')
  await rig.seen('meters are back', same, 5000)
  await rig.settled()
  t.true((await meters()).includes(mine))
  const from = (await told()).length
  for (let i = 0; i < 20; i++) await probe(rig.guests, port('client'), '10.10.0.31', 'udp', 20)
  await rig.seen('more are told than the foreign meter lets pass', async () => (await packets(from)).length >= 15, 5000)
  await rig.ofctl('h1', 'del-meter', 'br-int', 'meter=7')
  await rig.seen('nothing differs', async () => (await clean()).length === 0, 5000)
})

test.serial('without the agent traffic is as it was; one that is started again writes no flow and goes on telling', async (t) => {
  const before = await flowsOf(rig, 'h1')
  await rig.stopAgent('h1', 'SIGKILL')
  const { udp, tcp } = await lossDuring(rig.guests, { from: port('web'), to: port('db'), address: '10.10.0.31' }, async () => {
    t.true((await probe(rig.guests, port('web'), '10.10.0.31', 'tcp', 3000)).ok)
    t.false((await probe(rig.guests, port('client'), '10.10.0.31', 'tcp', 300)).ok)
  })
  t.is(udp.lost, 0)
  t.true(tcp.ok)
  await rig.agentBack('h1')
  t.deepEqual(rewritten(before, await flowsOf(rig, 'h1')), [])
  const from = (await told()).length
  await rig.seen('it tells again', async () => {
    await probe(rig.guests, port('client'), '10.10.0.31', 'udp', 20)
    return (await packets(from)).length > 0
  })
})

test.serial('while the server is away the host writes on; what it kept is told when the server is back', async (t) => {
  const from = (await told()).length
  await rig.stopServer('SIGKILL')
  t.true((await probe(rig.guests, port('web'), '10.10.0.31', 'udp', 3000)).ok)
  await rig.seen('it is in the file of the host', async () => (await packets(from)).some((p) => p.protocol === 17), 5000)
  const mine = (await packets(from)).filter((p) => p.protocol === 17 && p.direction === 'ingress')
  await rig.startServer()
  await rig.settled()
  const times = new Set(mine.map((p) => p.time))
  await rig.seen(
    'it is in that of the server',
    async () => (await kept()).filter((l) => times.has(l.time) && isPacket(l) && l.direction === 'ingress').length === mine.length,
  )
  await sleep(1000)
  t.is((await kept()).filter((l) => times.has(l.time) && isPacket(l) && l.direction === 'ingress').length, mine.length, 'once')
})

test.serial('stateless groups: every packet that a rule lets pass', async (t) => {
  await change(
    'stateless.yaml',
    'security_groups:\n  none: { stateful: false, rules: [{ direction: ingress, protocol: icmp }] }\nlogs:\n  none: { port: free }\n',
  )
  await change('net.yaml', NET.replace('security_groups: [free]', 'security_groups: [none]'))
  await sleep(300)
  t.true((await rig.guests.ask(port('web'), { op: 'ping', address: '10.10.0.32', timeout_ms: 3000, count: 3 })).ok)
  const tell = async (): Promise<readonly string[]> =>
    (await told('h2'))
      .filter(isPacket)
      .filter((p) => p.port === port('free'))
      .map(words)
  await rig.seen('six', async () => (await tell()).length >= 6, 5000)
  await sleep(300)
  t.deepEqual([...(await tell())].sort(), [
    ...Array.from({ length: 3 }, () => 'ACCEPT egress port/default/free 10.10.0.32>10.10.0.12 security_group/default/none: any to anybody'),
    ...Array.from(
      { length: 3 },
      () => 'ACCEPT ingress port/default/free 10.10.0.12>10.10.0.32 security_group/default/none: icmp from anybody',
    ),
  ])
})

test.serial('without logs the host is as it was, meters included', async (t) => {
  await change('net.yaml', NET)
  await change('groups.yaml', groups(RULES))
  const stateless = (await rig.status())?.fleet.revision ?? 0
  await rig.remove('stateless.yaml')
  await rig.committed(stateless + 1)
  const { udp } = await lossDuring(rig.guests, { from: port('web'), to: port('db'), address: '10.10.0.31' }, async () => {
    // A file that git knows and that is gone would be asked about.
    await change('logs.yaml', 'logs: {}\n')
  })
  t.is(udp.lost, 0)
  t.deepEqual(await flowTexts(rig, 'h1'), plain)
  t.deepEqual(await meters(), [])
})
