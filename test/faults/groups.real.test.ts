import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { lossDuring, PROBE_KINDS, type ProbeKind, probe } from '../../src/lab/probe.ts'
import { port, Rig } from './rig.ts'

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
  web-1: { network: blue, host: h1, security_groups: [web], fixed_ips: [{ ip_address: 10.10.0.21 }, { ip_address: 'fd00:10::21' }] }
  web-2: { network: blue, host: h2, security_groups: [web], fixed_ips: [{ ip_address: 10.10.0.22 }, { ip_address: 'fd00:10::22' }] }
  db: { network: blue, host: h2, security_groups: [db], fixed_ips: [{ ip_address: 10.10.0.31 }, { ip_address: 'fd00:10::31' }] }
`
/** The lab's guests serve TCP and UDP on port 7001. */
const FROM_WEB = '{ direction: ingress, remote_group: web, protocol: tcp, port_range_min: 7001, port_range_max: 7001 }'
const FROM_WEB_UDP = '{ direction: ingress, remote_group: web, protocol: udp, port_range_min: 7000, port_range_max: 7003 }'
const FROM_WEB_V6 = '{ direction: ingress, ethertype: IPv6, remote_group: web, protocol: icmp }'

function groups(...dbRules: readonly string[]): string {
  return `security_groups:
  client: {}
  web:
    rules:
      - { direction: ingress, protocol: tcp, port_range_min: 7000, port_range_max: 7100 }
      - { direction: ingress, protocol: icmp, remote_ip_prefix: 10.10.0.11/32 }
  db:
    rules: [${dbRules.join(', ')}]
`
}

let rig: Rig
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': SITE, 'net.yaml': NET, 'groups.yaml': groups(FROM_WEB, FROM_WEB_UDP, FROM_WEB_V6) })
})
test.after.always(async () => await rig?.close())

const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  client: ['10.10.0.11', 'fd00:10::11'],
  'web-1': ['10.10.0.21', 'fd00:10::21'],
  'web-2': ['10.10.0.22', 'fd00:10::22'],
  db: ['10.10.0.31', 'fd00:10::31'],
}

/** What is to pass: from, to, kind, IP version. Everything else is to be silent. */
const PASSES = new Set([
  ...['web-1', 'web-2'].flatMap((web) =>
    ['client', 'db', ...['web-1', 'web-2'].filter((w) => w !== web)].map((from) => `${from} ${web} tcp 4`),
  ),
  ...['web-1', 'web-2'].map((web) => `client ${web} ping 4`),
  ...['web-1', 'web-2'].flatMap((web) => [`${web} db tcp 4`, `${web} db udp 4`, `${web} db ping 6`]),
])

/** Pairs that answer although they must not, and those that do not although they should. */
async function wrong(): Promise<readonly string[]> {
  const asks = Object.keys(ADDRESSES).flatMap((from) =>
    Object.entries(ADDRESSES).flatMap(([to, ips]) => (from === to ? [] : ips.map((address) => ({ from, to, address })))),
  )
  const answers = await Promise.all(
    asks.flatMap(({ from, to, address }) =>
      PROBE_KINDS.map(async (kind: ProbeKind) => {
        const wanted = PASSES.has(`${from} ${to} ${kind} ${address.includes(':') ? 6 : 4}`)
        const { ok } = await probe(rig.guests, port(from), address, kind, wanted ? 3000 : 1000)
        return ok === wanted ? [] : [`${from} → ${to} ${address} ${kind}: ${ok ? 'passed' : 'did not pass'}`]
      }),
    ),
  )
  return answers.flat()
}

async function change(dbRules: readonly string[], file = 'groups.yaml'): Promise<void> {
  const at = (await rig.status())?.fleet.revision ?? 0
  await rig.write(file, groups(...dbRules))
  await rig.committed(at + 1)
  await rig.settled()
}

/** Connections from web-1 to the probe's port on db that a host keeps, by protocol. */
async function kept(host: string): Promise<{ readonly tcp: number; readonly udp: number; readonly all: number }> {
  const lines = (await rig.on(host, 'ovs-appctl', 'dpctl/dump-conntrack')).split('\n').filter((l) => l.includes('orig='))
  const to = (protocol: string): number =>
    lines.filter((l) => l.startsWith(`${protocol},`) && l.includes('orig=(src=10.10.0.21,dst=10.10.0.31,') && l.includes('dport=7001'))
      .length
  return { tcp: to('tcp'), udp: to('udp'), all: lines.length }
}

test.serial('who may talk to whom: every pair by ping, TCP and UDP, both IP versions, on a host and between two', async (t) => {
  await rig.guests.ready(Object.keys(ADDRESSES).map(port))
  t.deepEqual(await wrong(), [])
})

test.serial(
  'a rule that goes cuts what it alone allowed, at once and on both sides; another connection loses nothing; the rule comes back and the same works again',
  async (t) => {
    const { udp, tcp } = await lossDuring(rig.guests, { from: port('web-1'), to: port('db'), address: '10.10.0.31' }, async () => {
      t.true((await kept('h2')).udp > 0)
      await change([FROM_WEB, FROM_WEB_V6])
      const ms = await rig.seen('the connection is forgotten', async () => (await kept('h2')).udp === 0)
      t.log(`forgotten ${ms} ms after the hosts said that they hold the revision`)
      t.true((await kept('h2')).tcp > 0, 'that of the rule which stays is kept')
      await sleep(300)
      t.is((await kept('h2')).udp, 0, 'and is not made again')
      await change([FROM_WEB, FROM_WEB_UDP, FROM_WEB_V6])
      await sleep(300)
      t.true((await kept('h2')).udp > 0, 'the same addresses and ports, by the rule that is back')
    })
    t.true(tcp.ok, 'the TCP transfer, which another rule allows, is whole')
    t.log(
      `UDP: ${udp.lost} of ${udp.sent} packets did not pass while there was no rule; TCP’s largest gap ${tcp.largest_gap_ms.toFixed(1)} ms`,
    )
    t.true(udp.lost > 0)
    t.deepEqual(await wrong(), [])
  },
)

test.serial('rules, members and groups that come and go cost a connection that all of them allow no packet', async (t) => {
  const { udp, tcp } = await lossDuring(rig.guests, { from: port('web-1'), to: port('db'), address: '10.10.0.31' }, async () => {
    await change([FROM_WEB, FROM_WEB_UDP, FROM_WEB_V6, '{ direction: ingress, protocol: tcp, port_range_min: 9000, port_range_max: 9999 }'])
    await change([FROM_WEB, FROM_WEB_UDP, FROM_WEB_V6])
    const at = (await rig.status())?.fleet.revision ?? 0
    await rig.write('more.yaml', 'ports:\n  extra: { network: blue, security_groups: [web] }\n')
    await rig.committed(at + 1)
    await rig.write('net.yaml', NET.replace('security_groups: [db]', 'security_groups: [client, db]'))
    await rig.committed(at + 2)
    await rig.write('net.yaml', NET)
    await rig.remove('more.yaml')
    await rig.committed(at + 3)
    await rig.settled()
  })
  t.log(
    `${udp.lost} of ${udp.sent} packets lost, largest gap ${udp.largest_gap_ms.toFixed(1)} ms; TCP’s ${tcp.largest_gap_ms.toFixed(1)} ms`,
  )
  t.is(udp.lost, 0)
  t.true(tcp.ok)
})

test.serial('when the ports are gone no connection of theirs is left in the switch', async (t) => {
  t.true((await kept('h2')).all > 0)
  const at = (await rig.status())?.fleet.revision ?? 0
  await rig.write('net.yaml', NET.slice(0, NET.indexOf('ports:')))
  await rig.committed(at + 1)
  for (const host of ['h1', 'h2']) await rig.seen(`${host} keeps no connection`, async () => (await kept(host)).all === 0)
  t.pass()
})
