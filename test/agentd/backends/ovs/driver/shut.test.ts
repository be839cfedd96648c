import test from 'ava'
import { bridgeItem } from '../../../../../agentd/backends/ovs/compile/devices.ts'
import { rowItem } from '../../../../../agentd/backends/ovs/compile/rows.ts'
import { sharedItems } from '../../../../../agentd/backends/ovs/compile/shared.ts'
import type { Inventory, Located } from '../../../../../agentd/backends/ovs/driver/observe.ts'
import { notShut, shutFirst } from '../../../../../agentd/backends/ovs/driver/shut.ts'

const FACTS = { datapath_type: 'netdev', version: '', capabilities: [], interfaces: {}, bridges: [] }
const BRIDGE_ROW = bridgeItem({ host: 'h1', installation: 'i', facts: FACTS })
const ROWS = [
  BRIDGE_ROW,
  rowItem([], { table: 'Port', name: 'nl-int-br-ex', parent: 'br-int', columns: {} }),
  rowItem([], { table: 'Interface', name: 'nl-int-br-ex', parent: 'nl-int-br-ex', columns: { type: 'patch' } }),
]
const FLOWS = sharedItems('h1').map((after) => ({ after }))
const NONE: ReadonlyMap<string, string> = new Map()

function inventory(bridge: Located['row'] | undefined, ports: readonly string[] = []): Inventory {
  const located = (row: Located['row']): Located => ({ uuid: 'u', row })
  return {
    Bridge: new Map(bridge === undefined ? [] : [['br-int', located(bridge)]]),
    Port: new Map(ports.map((name) => [name, located({})])),
    Interface: new Map(),
    controllers: new Map(),
  }
}

test('a bridge that is there is made secure and its last resort a drop before it gets ports', (t) => {
  const first = shutFirst({ rows: ROWS, flows: FLOWS }, inventory({}))
  t.deepEqual([first.bridge.map((i) => i.key), first.drop.map((d) => d.after.key)], [['row Bridge br-int'], ['flow br-int classify 0']])
  t.deepEqual(first.ports, first.rows)
  t.is(first.flows.length, FLOWS.length - 1)
})

test('a bridge that is made with its ports, and one that gets none, are written as ever', (t) => {
  for (const at of [inventory(undefined), inventory({}, ['nl-int-br-ex'])]) {
    const { bridge, drop, rows, flows } = shutFirst({ rows: ROWS, flows: FLOWS }, at)
    t.deepEqual([bridge, drop, rows, flows], [[], [], ROWS, FLOWS])
  }
})

test('ports stay off a bridge that could not be shut, and wait for the next turn where its flows could not be read', (t) => {
  const open = inventory({})
  const first = shutFirst({ rows: ROWS, flows: FLOWS }, open)
  t.is(notShut(first, open, NONE, new Set()), undefined)
  for (const key of ['row Bridge br-int', 'flow br-int classify 0'])
    t.deepEqual(notShut(first, open, new Map([[key, 'no room']]), new Set()), {
      cause: 'br-int may forward what it should drop, so it gets no port: no room',
    })
  t.is(notShut(first, open, NONE, new Set(['flow br-int classify 0'])), 'later')
  const deaf = inventory({ protocols: 'OpenFlow10' })
  t.is(notShut(shutFirst({ rows: ROWS, flows: [] }, deaf), deaf, NONE, new Set()), 'later')
  const left = notShut(shutFirst({ rows: ROWS.slice(1), flows: [] }, deaf), deaf, NONE, new Set())
  t.regex(typeof left === 'object' ? left.cause : '', /speaks only OpenFlow10/)
})
