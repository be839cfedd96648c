import test from 'ava'
import { type OvsdbClient, type OvsdbOptions, openOvsdb } from '../../../../../agentd/backends/ovs/ovsdb/client.ts'
import { OvsdbError } from '../../../../../agentd/backends/ovs/ovsdb/error.ts'
import type { RowChange } from '../../../../../agentd/backends/ovs/ovsdb/replica.ts'
import { type OvsRow, wireMap, wireNamed, wireSet, wireUuid } from '../../../../../agentd/backends/ovs/ovsdb/values.ts'
import { type Switch, startSwitch, until } from '../switch.ts'

const TABLES = {
  Open_vSwitch: ['bridges', 'next_cfg', 'cur_cfg', 'ovs_version', 'iface_types'],
  Bridge: ['name', 'ports', 'fail_mode', 'datapath_type', 'protocols', 'other_config', 'external_ids'],
  Port: ['name', 'interfaces', 'tag', 'trunks'],
  Interface: ['name', 'type', 'ofport', 'ofport_request', 'external_ids', 'options', 'error'],
}

let sw: Switch
let db: OvsdbClient
const changed: RowChange[] = []
const states: string[] = []

function open(options: Partial<OvsdbOptions> = {}): OvsdbClient {
  return openOvsdb({ endpoint: `unix:${sw.database}`, tables: TABLES, onUpdate: () => {}, backoff: () => 20, ...options })
}

test.before(async () => {
  sw = await startSwitch()
  db = open({ onUpdate: (changes) => changed.push(...changes), onState: (state) => states.push(state) })
  await db.ready(5_000)
})

test.after.always(async () => {
  db?.close()
  await sw?.stop()
})

function find(client: OvsdbClient, table: string, name: string): { uuid: string; row: OvsRow } | undefined {
  for (const [uuid, row] of client.replica.get(table) ?? []) if (row['name'] === name) return { uuid, row }
  return undefined
}

const byName = (name: string): unknown[] => [['name', '==', name]]
const byUuid = (uuid: unknown): unknown[] => [['_uuid', '==', wireUuid(String(uuid))]]

/** Transacts, and waits until vswitchd has applied it. */
async function apply(...operations: Parameters<OvsdbClient['transact']>[0]): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const results = await db.transact([
    ...operations,
    { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['next_cfg', '+=', 1]] },
    { op: 'select', table: 'Open_vSwitch', where: [], columns: ['next_cfg'] },
  ])
  const rows = results.at(-1)?.['rows'] as { next_cfg: number }[]
  await db.waitForApplied(rows[0]?.next_cfg ?? Number.NaN, 10_000)
  return results
}

async function addBridge(name: string, ids: Record<string, string> = {}): Promise<void> {
  await apply(
    { op: 'insert', table: 'Interface', row: { name, type: 'internal' }, 'uuid-name': 'i' },
    { op: 'insert', table: 'Port', row: { name, interfaces: wireNamed('i') }, 'uuid-name': 'p' },
    {
      op: 'insert',
      table: 'Bridge',
      row: { name, datapath_type: 'netdev', fail_mode: 'secure', ports: wireNamed('p'), external_ids: wireMap(ids) },
      'uuid-name': 'b',
    },
    { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['bridges', 'insert', wireNamed('b')]] },
    { op: 'comment', comment: `adds ${name}` },
  )
}

test.serial('the replica shows what the server holds', async (t) => {
  const root = (): OvsRow => [...(db.replica.get('Open_vSwitch')?.values() ?? [])][0] ?? {}
  await db.until(() => (root()['iface_types'] as string[]).includes('vxlan'), 5_000, 'vswitchd did not tell its types')
  t.is(root()['ovs_version'], '3.1.0')
  t.deepEqual(root()['bridges'], [])
})

test.serial('a bridge is made in one transaction, and vswitchd gives it an ofport', async (t) => {
  await addBridge('br0', { owner: 'netloom', quote: 'a "b" \\ ü {[' })
  const bridge = find(db, 'Bridge', 'br0')?.row
  t.is(bridge?.['fail_mode'], 'secure')
  t.deepEqual(bridge?.['external_ids'], { owner: 'netloom', quote: 'a "b" \\ ü {[' })
  t.is(find(db, 'Interface', 'br0')?.row['ofport'], 65534)
  t.is((await sw.vsctl('get', 'bridge', 'br0', 'external_ids:owner')).trim(), 'netloom')
})

test.serial('ports come and go; optional columns, sets and maps follow in the replica', async (t) => {
  const results = await apply(
    {
      op: 'insert',
      table: 'Interface',
      row: { name: 'p1', type: 'internal', ofport_request: 7, external_ids: wireMap({ 'iface-id': 'x' }) },
      'uuid-name': 'i',
    },
    { op: 'insert', table: 'Port', row: { name: 'p1', interfaces: wireNamed('i'), tag: 5, trunks: wireSet([10, 9]) }, 'uuid-name': 'p' },
    { op: 'mutate', table: 'Bridge', where: byName('br0'), mutations: [['ports', 'insert', wireNamed('p')]] },
  )
  t.is(results[2]?.['count'], 1)
  const { uuid, row } = find(db, 'Interface', 'p1') ?? { uuid: '', row: {} }
  t.deepEqual(results[0]?.['uuid'], ['uuid', uuid])
  t.is(row['ofport'], 7)
  t.deepEqual(find(db, 'Port', 'p1')?.row['trunks'], [9, 10])
  const bridge = find(db, 'Bridge', 'br0')?.row
  const port = find(db, 'Port', 'p1')?.uuid
  await db.transact([
    { op: 'mutate', table: 'Interface', where: byUuid(uuid), mutations: [['external_ids', 'insert', wireMap({ a: '1', b: '2' })]] },
    { op: 'mutate', table: 'Port', where: byUuid(port), mutations: [['trunks', 'delete', 9]] },
    { op: 'update', table: 'Port', where: byUuid(port), row: { tag: wireSet([]) } },
  ])
  await db.until(() => find(db, 'Port', 'p1')?.row['tag'] === undefined, 2_000, 'the tag did not go')
  t.deepEqual(find(db, 'Interface', 'p1')?.row['external_ids'], { 'iface-id': 'x', a: '1', b: '2' })
  t.deepEqual(find(db, 'Port', 'p1')?.row['trunks'], [10])
  t.is(find(db, 'Bridge', 'br0')?.row, bridge, 'a row that did not change keeps its identity')
  await apply({ op: 'mutate', table: 'Bridge', where: byName('br0'), mutations: [['ports', 'delete', wireUuid(port ?? '')]] })
  t.is(find(db, 'Port', 'p1'), undefined)
  t.is(find(db, 'Interface', 'p1'), undefined)
})

test.serial('after many random changes the replica equals a fresh read', async (t) => {
  let seed = 7
  const random = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % n
  const change = (mutation: unknown[]): { op: string } & Record<string, unknown> => ({
    op: 'mutate',
    table: 'Bridge',
    where: byName('br0'),
    mutations: [mutation],
  })
  for (let i = 0; i < 150; i++) {
    const key = `k${random(10)}`
    await db.transact([
      change(['external_ids', 'delete', wireSet([key])]),
      ...(random(2) === 0 ? [] : [change(['external_ids', 'insert', wireMap({ [key]: String(random(5)) })])]),
      change(['protocols', random(2) === 0 ? 'insert' : 'delete', wireSet([`OpenFlow1${random(5)}`])]),
    ])
  }
  const fresh = open()
  await fresh.ready(5_000)
  t.deepEqual(db.replica.get('Bridge'), fresh.replica.get('Bridge'))
  fresh.close()
})

test.serial('a failed transaction changes nothing and says which operation, in the words of OVS', async (t) => {
  const insert = { op: 'insert', table: 'Bridge', row: { name: 'x', fail_mode: 'nonsense' } }
  const error = await t.throwsAsync(db.transact([{ op: 'comment', comment: 'fine' }, insert]), { instanceOf: OvsdbError })
  t.is(error?.code, 'refused')
  t.is(error?.operation, 1)
  t.is(error?.reason, 'constraint violation')
  t.regex(error?.message ?? '', /nonsense is not one of the allowed values/)
  const twice = await t.throwsAsync(addBridge('br0'), { instanceOf: OvsdbError })
  t.is(twice?.operation, undefined, 'uniqueness is checked at the commit')
  t.regex(twice?.message ?? '', /br0/)
  const wait = { op: 'wait', timeout: 0, table: 'Bridge', where: byName('br0'), columns: ['fail_mode'], until: '==' }
  await db.transact([{ ...wait, rows: [{ fail_mode: 'secure' }] }])
  t.is(
    (await t.throwsAsync(db.transact([{ ...wait, rows: [{ fail_mode: 'standalone' }] }]), { instanceOf: OvsdbError }))?.reason,
    'timed out',
  )
  const dry = await t.throwsAsync(db.transact([{ op: 'delete', table: 'Bridge', where: [] }, { op: 'abort' }]), { instanceOf: OvsdbError })
  t.is(dry?.reason, 'aborted')
  t.not(find(db, 'Bridge', 'br0'), undefined)
})

test.serial('conditions limit what is followed', async (t) => {
  const only = open({
    tables: { Bridge: ['name', 'external_ids'] },
    where: { Bridge: [['external_ids', 'includes', wireMap({ owner: 'somebody' })]] },
  })
  await only.ready(5_000)
  t.is(only.replica.get('Bridge')?.size, 0)
  await addBridge('br1', { owner: 'somebody' })
  await only.until(() => only.replica.get('Bridge')?.size === 1, 2_000, 'the bridge did not come')
  t.not(find(only, 'Bridge', 'br1'), undefined)
  only.close()
})

test.serial('after a restart of ovsdb-server the client is back, with what changed meanwhile', async (t) => {
  states.length = 0
  await sw.kill('ovsdb-server')
  await until(() => !db.connected(), 'the loss to be noticed')
  t.is((await t.throwsAsync(db.transact([{ op: 'comment', comment: 'nobody hears' }]), { instanceOf: OvsdbError }))?.code, 'unreachable')
  await sw.start('ovsdb-server')
  await sw.vsctl('--no-wait', 'set', 'bridge', 'br1', 'external_ids:while=away')
  await db.until(
    () => (find(db, 'Bridge', 'br1')?.row['external_ids'] as Record<string, string>)?.['while'] === 'away',
    5_000,
    'the change did not come',
  )
  t.deepEqual(states, ['disconnected', 'connected'])
})

test.serial('a server that comes later is waited for; closing ends all waiting', async (t) => {
  const endpoint = `unix:${sw.rundir}/later.sock`
  const heard: string[] = []
  const later = open({ endpoint, onState: (state, cause) => heard.push(`${state}: ${cause ?? ''}`) })
  t.is((await t.throwsAsync(later.ready(60), { instanceOf: OvsdbError }))?.code, 'timeout')
  t.is(heard.length, 1, 'one message, not one for each attempt')
  t.regex(heard[0] ?? '', /disconnected: .*later\.sock does not answer/)
  await sw.appctl('version')
  const waiting = later.until(() => false, 10_000, 'never')
  later.close()
  t.is((await t.throwsAsync(waiting, { instanceOf: OvsdbError }))?.code, 'closed')
  t.is(t.throws(() => open({ endpoint: 'nonsense' }), { instanceOf: OvsdbError })?.code, 'unreachable')
})

test.serial('a frozen server is noticed', async (t) => {
  const impatient = open({ probeMs: 50 })
  await impatient.ready(5_000)
  sw.freeze('ovsdb-server', true)
  await until(() => !impatient.connected(), 'the silence to be noticed')
  sw.freeze('ovsdb-server', false)
  await impatient.ready(5_000)
  t.not(find(impatient, 'Bridge', 'br0'), undefined)
  impatient.close()
})
