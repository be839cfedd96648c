import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Key } from '../../src/model/key.ts'
import type { LogEntry, LogLine, PacketEntry } from '../../src/model/log-entry.ts'
import { renderLogLine } from '../../src/server/render/log-line.ts'
import { openSecurityLog, securityLogPath } from '../../src/server/security-log.ts'
import type { LogBatch, Report } from '../../src/wire/messages.ts'

const key = (text: string): Key => text as Key

function packet(n: number, more: Partial<PacketEntry> = {}): PacketEntry {
  return {
    time: `2026-03-01T10:00:00.00${n}Z`,
    verdict: 'ACCEPT',
    direction: 'ingress',
    port: key('port/default/db'),
    logs: [key('log/default/l')],
    groups: [key('security_group/default/db'), key('security_group/shop/web')],
    group: key('security_group/default/db'),
    rule: 'tcp 5432 from group web',
    ethertype: 'IPv4',
    protocol: 6,
    src: '10.0.0.5',
    dst: '10.0.0.9',
    src_port: 41234,
    dst_port: 5432,
    src_mac: 'fa:16:3e:00:00:05',
    dst_mac: 'fa:16:3e:00:00:09',
    bytes: 74,
    ...more,
  }
}

function report(epoch: string, log: LogBatch): Report {
  const digest = '0'.repeat(32)
  return {
    v: 2,
    type: 'report',
    id: 'i',
    host: 'h1',
    epoch,
    revision: 12,
    digest,
    converged: true,
    full: false,
    objects: [],
    gone: [],
    log,
  }
}

test('each entry once, in order, with its origin; what was told before is passed over, another life of the agent is not', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'nl-log-'))
  t.teardown(async () => await rm(dir, { recursive: true }))
  const stateFile = join(dir, 'state.db')
  const log = openSecurityLog({
    stateFile,
    log: () => t.fail(),
    origin: async ({ time }) => {
      if (time.endsWith('3Z')) throw new Error('the state file is busy')
      return { place: 'a.yaml:4:9' }
    },
  })
  const all: readonly LogEntry[] = [1, 2, 3, 4].map((n) => packet(n))
  log.take(report('a', { first: 0, entries: all.slice(0, 2) }))
  log.take(report('a', { first: 0, entries: all.slice(0, 3) }))
  log.take(report('a', { first: 1, entries: all.slice(1, 3) }))
  log.take(report('b', { first: 0, entries: all.slice(3), lost: 5 }))
  await log.close()
  const lines = (await readFile(securityLogPath(stateFile), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((l) => JSON.parse(l) as LogLine & { place?: string; lost?: number })
  t.deepEqual(
    lines.map((l) => [l.time.slice(-4), l.place, l.lost]),
    [
      ['001Z', 'a.yaml:4:9', undefined],
      ['002Z', 'a.yaml:4:9', undefined],
      ['003Z', undefined, undefined],
      ['004Z', 'a.yaml:4:9', undefined],
      ['004Z', undefined, 5],
    ],
  )
  t.like(lines[0], { host: 'h1', revision: 12 })
})

const TOLD = { host: 'h1', revision: 12 }
const CHANGED = { revision: 7, commit: '9f2c1ab04b1d00112233', subject: 'db: open to web' }

test('what a line says to people', (t) => {
  const { group: _, rule: __, ...dropped } = packet(2, { verdict: 'DROP', protocol: 17, direction: 'egress' })
  const six = { ethertype: 'IPv6', protocol: 58, src: 'fd00::1', dst: 'fd00::2', icmp_type: 128, icmp_code: 0 } as const
  const { src_port: ___, dst_port: ____, ...icmp } = packet(3, { rule: 'any from anybody', ...six })
  const lines: readonly LogLine[] = [
    { ...packet(1), ...TOLD, place: 'security.yaml:14:9', changed: CHANGED },
    { ...dropped, ...TOLD, cause: 'no rule', places: ['security.yaml:11:3', null], changed: { revision: 7 } },
    { ...dropped, ...TOLD, cause: 'refused', groups: [key('security_group/default/db')] },
    { ...dropped, ...TOLD, cause: 'invalid', groups: [key('security_group/default/db')] },
    { ...dropped, ...TOLD, cause: 'no rule', groups: [] },
    { ...icmp, ...TOLD, changed: { ...CHANGED, commit: `${CHANGED.commit}+` } },
    { ...TOLD, time: '2026-03-01T10:00:01.000Z', verdict: 'DROP', suppressed: 9875 },
    { ...TOLD, time: '2026-03-01T10:00:01.000Z', lost: 500 },
  ]
  t.deepEqual(
    lines.map((line) => renderLogLine(line).slice(11)),
    [
      '10:00:00.001Z h1 ACCEPT ingress db tcp 10.0.0.5:41234 > 10.0.0.9:5432  tcp 5432 from group web, rule of db (security.yaml:14:9, git 9f2c1ab04b1d "db: open to web")',
      '10:00:00.002Z h1 DROP egress db udp 10.0.0.5:41234 > 10.0.0.9:5432  no rule of db (security.yaml:11:3), shop/web lets it out; revision 7',
      '10:00:00.002Z h1 DROP egress db udp 10.0.0.5:41234 > 10.0.0.9:5432  no rule of db lets the connection pass any more',
      '10:00:00.002Z h1 DROP egress db udp 10.0.0.5:41234 > 10.0.0.9:5432  belongs to no connection; groups db',
      '10:00:00.002Z h1 DROP egress db udp 10.0.0.5:41234 > 10.0.0.9:5432  the port is in no group',
      '10:00:00.003Z h1 ACCEPT ingress db ipv6-icmp type 128 code 0 fd00::1 > fd00::2  any from anybody, rule of db (a rule that every group has, git 9f2c1ab04b1d+ "db: open to web")',
      '10:00:01.000Z h1 DROP 9875 more packets in a second were not written down (network_log of netloom.yaml)',
      "10:00:01.000Z h1 500 lines did not reach the server while it was away; the host's own file has them",
    ],
  )
})
