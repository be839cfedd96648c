import test from 'ava'
import type { Key } from '../../../src/model/key.ts'
import { EMPTY_VERSION } from '../../../src/model/scope.ts'
import { type DriftInput, renderDrift } from '../../../src/server/render/drift.ts'
import { hostStates } from '../../../src/server/render/fleet.ts'
import { renderHistory } from '../../../src/server/render/history.ts'
import { renderStatus } from '../../../src/server/render/status.ts'
import type { AgentRow, RevisionInfo } from '../../../src/server/store/types.ts'
import { golden } from './golden.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString()
const agent = (host: string, revision: number, more: Partial<AgentRow> = {}): AgentRow => ({
  host,
  epoch: 'e',
  version: '0.1.0',
  lastSeen: ago(2),
  revision,
  digest: `d-${host}`,
  converged: true,
  facts: {},
  allocations: {},
  ...more,
})
const port = (name: string): Key => `port/default/${name}` as Key

const FLEET: DriftInput = {
  revision: 42,
  targets: new Map([
    ...['h-01', 'h-02', 'h-03', 'h-04', 'h-07', 'h-08'].map((host): [string, { digest: string }] => [host, { digest: `d-${host}` }]),
    ...['h-09', 'h-10', 'h-11', 'h-12', 'h-13'].map((host): [string, { digest: string }] => [host, { digest: EMPTY_VERSION }]),
  ]),
  agents: [
    agent('h-01', 41),
    agent('h-02', 42),
    agent('h-03', 41, { digest: 'old', converged: false }),
    agent('h-04', 42),
    agent('h-07', 39, { lastSeen: ago(11 * 60), digest: 'old' }),
    // Left the repository: emptied and heard, being emptied, away with a port, emptied and stopped, never seen. The last two are gone.
    agent('h-09', 42, { digest: EMPTY_VERSION }),
    agent('h-10', 42, { digest: EMPTY_VERSION, converged: false }),
    agent('h-11', 40, { lastSeen: ago(11 * 60) }),
    agent('h-12', 41, { digest: EMPTY_VERSION, lastSeen: ago(40) }),
  ],
  status: [
    { host: 'h-01', key: port('a'), state: 'ACTIVE', attempts: 0, since: ago(4000) },
    { host: 'h-11', key: port('e'), state: 'ACTIVE', attempts: 0, since: ago(4000) },
    { host: 'h-03', key: port('b'), state: 'BUILD', attempts: 0, since: ago(1) },
    {
      host: 'h-04',
      key: port('c'),
      state: 'ERROR',
      cause: 'bridge br-ex of physical_network physnet1 does not exist: ovs-vsctl add-br br-ex',
      attempts: 3,
      since: ago(300),
    },
    {
      host: 'h-04',
      key: port('d'),
      state: 'WAITING',
      cause: 'no interface with iface-id 5f0c… is plugged',
      attempts: 0,
      since: ago(90000),
    },
  ],
  drift: [
    {
      host: 'h-02',
      kind: 'altered',
      where: 'Port nl-7c',
      owners: [port('a')],
      fields: [{ field: 'tag', want: '7', have: '12' }],
      since: ago(3600),
      action: 'repair',
    },
    {
      host: 'h-02',
      kind: 'missing',
      where: 'br-int table classify',
      owners: [port('a'), port('b')],
      fields: [{ field: '', want: 'priority=100,in_port=3' }],
      since: ago(3),
      action: 'report',
    },
    {
      host: 'h-01',
      kind: 'foreign',
      where: 'br-int table 7',
      owners: [],
      fields: [{ field: '', have: 'priority=1 actions=drop' }],
      since: ago(50),
      action: 'left alone',
    },
  ],
  places: (key) => (key === port('a') ? { file: 'nets/a.yaml', line: 12, col: 5 } : undefined),
  now: NOW,
}

test('two words for each host', (t) => {
  t.deepEqual(
    hostStates(FLEET).map((s) => [s.host, s.sync, s.health, s.lag]),
    [
      ['h-01', 'Synced', 'Healthy', 0],
      ['h-02', 'OutOfSync', 'Healthy', 0],
      ['h-03', 'Applying', 'Progressing', 1],
      ['h-04', 'Synced', 'Degraded', 0],
      ['h-07', 'Unknown', 'Missing', 3],
      ['h-08', 'Unknown', 'Missing', 42],
      ['h-09', 'Synced', 'Healthy', 0],
      ['h-10', 'Applying', 'Healthy', 0],
      ['h-11', 'Unknown', 'Missing', 2],
    ],
  )
})

test('status: the fleet, and what is not active', (t) => {
  golden(t, 'status.txt', renderStatus(FLEET))
  golden(t, 'status-narrow.txt', renderStatus(FLEET, { width: 64, ascii: true }))
  const nobody = { ...FLEET, revision: 0, targets: new Map(), agents: [], status: [], drift: [] }
  t.is(renderStatus({ ...nobody, revision: 1 }), 'Revision 1. No host is declared, and none has reported.\n')
  t.is(renderStatus(nobody), 'Revision none. No host has reported.\n')
  const first = (declared: readonly string[], awaited: readonly string[]): string =>
    renderStatus({ ...nobody, first: { declared, awaited, awaitedMs: 12_400 } })
  t.is(first([], []), 'Revision none. No host is declared, and none has reported.\n')
  t.is(first(['h1', 'h2'], []), 'Revision none. 2 hosts are declared (h1 and h2), and nothing is committed yet.\n')
  t.is(
    first(['h1', 'h2'], ['h2']),
    'Revision none. 2 hosts are declared (h1 and h2), and the first revision waits for h2 to say what it holds, at most 12 s more.\n',
  )
  const many = Array.from({ length: 9 }, (_, i) => `h${i}`)
  t.regex(first(many, many), /waits for h0, h1, h2, h3 and 5 more to say what they hold, /)
})

test('status: what a switch holds that does not answer, or whose agent is not heard, is not counted as active', (t) => {
  const silent = (...hosts: readonly string[]): string => {
    const dataplanes = Object.fromEntries(hosts.map((host) => [host, { state: 'silent' as const, since: ago(7) }]))
    return (
      renderStatus({ ...FLEET, dataplanes })
        .trimEnd()
        .split('\n')
        .at(-1) ?? ''
    )
  }
  t.regex(silent(), /; 1 of 5 objects active; 1 on h-11 not known: its agent is not heard\.$/)
  t.regex(silent('h-01'), /; 0 of 5 objects active; 1 on h-01 not known: its switch does not answer, since 7 s; 1 on h-11 not known: /)
  t.regex(silent('h-01', 'h-04'), /; 0 of 5 objects active; 3 on h-01 and h-04 not known: their switches do not answer; /)
  // Holds nothing that could be unknown; and of one that is not heard of, that its switch once was silent says nothing.
  t.regex(silent('h-02'), /; 1 of 5 objects active; 1 on h-11 not known: /)
  t.regex(silent('h-11'), /; 1 of 5 objects active; 1 on h-11 not known: its agent is not heard\.$/)
})

test('status: of a thousand objects that wait the first few are named, and all with --verbose', (t) => {
  const waiting = Array.from({ length: 1000 }, (_, n) => ({
    host: n < 950 ? 'h-04' : 'h-01',
    key: port(`w${String(n).padStart(3, '0')}`),
    state: 'WAITING' as const,
    cause: 'nothing is plugged',
    attempts: 0,
    since: ago(60),
  }))
  const fleet = { ...FLEET, status: [...FLEET.status, ...waiting] }
  const short = renderStatus(fleet)
  golden(t, 'status-many.txt', short)
  t.regex(short, /^and 991 more WAITING on h-01 and h-04 \(--verbose shows them\)$/m)
  t.true(renderStatus(fleet, { verbose: true }).includes('w999'))
})

test('drift: what, where, since when, and what is done', (t) => {
  golden(t, 'drift.txt', renderDrift(FLEET))
  t.is(renderDrift({ ...FLEET, targets: new Map(), agents: [agent('h-01', 42), agent('h-02', 42)], drift: [] }), 'No drift on 2 hosts.\n')
  t.is(
    renderDrift({ ...FLEET, targets: new Map([['h1', { digest: '' }]]), agents: [], drift: [] }),
    'h1: nothing is known (never heard of)\nNo host is heard: nothing can be said about drift.\n',
  )
})

test('history: a line for each revision', (t) => {
  const git = { commit: '9f2c1ab04b1d', author: 'Ada Lovelace', subject: 'db: move to vlan 210', dirty: true }
  const summary = { create: 3, update: 1, delete: 104, recreate: 1 }
  const revisions: readonly RevisionInfo[] = [
    { revision: 42, plan: 'p-7f3a0011', committedAt: ago(180), summary, git, reason: 'tenant shop has left, ticket 4711' },
    { revision: 41, plan: 'p-7f3a0010', committedAt: ago(3 * 86400), summary: { create: 0, update: 0, delete: 0, recreate: 0 } },
  ]
  golden(t, 'history.txt', renderHistory(revisions, NOW))
  golden(t, 'history-narrow.txt', renderHistory(revisions, NOW, { width: 80 }))
  t.is(renderHistory([], NOW), 'No revision yet. netloom apply makes the first.\n')
})
