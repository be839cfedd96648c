import test from 'ava'
import { makeKey } from '../../../src/model/key.ts'
import { portKey } from '../backends/conformance/world.ts'
import { convergedHost } from './fake-host.ts'

const HOST = makeKey('host', '', 'h1')

test('a host whose disk is full says so, changes nothing, and goes on when there is room', async (t) => {
  let full = false
  let table = {}
  const saveAllocations = async (): Promise<void> => {
    if (full) throw new Error('cannot write allocations.json: ENOSPC')
  }
  const { converger, results, at } = await convergedHost(t, { saveAllocations }, () => table)
  t.is(results.at(-1)?.statuses.get(portKey('a'))?.state, 'ACTIVE')

  full = true
  table = { zone: { a: 1 } }
  const writes = at.writes()
  const told = results.length
  for (let n = 0; n < 3; n++) {
    converger.setTarget({ revision: 2, intents: new Map() })
    await converger.idle()
  }
  t.is(results.length, told + 1, 'told when it begins, not at every attempt')
  t.like(results.at(-1), { revision: 2, converged: false, allocations: {} })
  t.like(results.at(-1)?.statuses.get(HOST), {
    state: 'ERROR',
    cause: 'nothing is changed on this host before its numbers can be saved: cannot write allocations.json: ENOSPC',
  })
  t.is(results.at(-1)?.statuses.get(portKey('a'))?.state, 'ACTIVE')
  t.is(at.writes(), writes)

  full = false
  converger.recheck()
  await converger.idle()
  t.true(results.at(-1)?.converged)
  t.not(results.at(-1)?.statuses.get(HOST)?.state, 'ERROR')
})
