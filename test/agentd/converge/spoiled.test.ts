import test, { type ExecutionContext } from 'ava'
import type { Item } from '../../../agentd/backends/backend.ts'
import type { ConvergeResult, DriftMode } from '../../../agentd/converge/converger.ts'
import { portKey } from '../backends/conformance/world.ts'
import { convergedHost } from './fake-host.ts'

/** A setting that another hand made, and that keeps the attachment of port a from working. */
const SETTING: Item = {
  key: 'port vm-a (ofport 1)',
  owners: [],
  text: 'no-forward',
  value: {},
  spoils: { key: 'attachment port/default/a', right: 'forward' },
}

/** A host that has converged, then finds the setting. */
async function spoiled(t: ExecutionContext, mode: DriftMode): Promise<{ result: ConvergeResult; writes: number; left: boolean }> {
  const { converger, results, at } = await convergedHost(t, { mode })
  const before = at.writes()
  at.tamper(SETTING.key, SETTING)
  await converger.idle()
  const result = results.at(-1) ?? (t.fail() as never)
  return { result, writes: at.writes() - before, left: at.items().has(SETTING.key) }
}

test('repair: a setting that spoils something of ours is set right, and told as an alteration of it, by its owners', async (t) => {
  const { result, writes, left } = await spoiled(t, 'repair')
  t.false(left)
  t.is(writes, 1)
  t.like(result.drift[0], {
    kind: 'altered',
    where: SETTING.key,
    owners: [portKey('a')],
    fields: [{ field: '', want: 'forward', have: 'no-forward' }],
    action: 'repaired',
  })
  t.is(result.statuses.get(portKey('a'))?.state, 'ACTIVE')
})

test('report: it is told and left, and its owner is not ACTIVE', async (t) => {
  const { result, writes, left } = await spoiled(t, 'report')
  t.true(left)
  t.is(writes, 0)
  t.like(result.drift[0], { kind: 'altered', owners: [portKey('a')], action: 'report' })
  t.is(result.statuses.get(portKey('a'))?.state, 'BUILD')
})

test('off: nothing is written, and nothing is told', async (t) => {
  const { result, writes, left } = await spoiled(t, 'off')
  t.true(left)
  t.is(writes, 0)
  t.deepEqual(result.drift, [])
})
