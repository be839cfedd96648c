import test from 'ava'
import { createFakeBackend } from '../../../agentd/backends/fake/backend.ts'
import { type ConvergeResult, createConverger } from '../../../agentd/converge/converger.ts'
import { makeKey } from '../../../src/model/key.ts'
import { loadFakeWorld } from '../backends/conformance/fake-world.ts'
import { makeWorld, portKey } from '../backends/conformance/world.ts'

const HOST = makeKey('host', '', 'h1')
const WORLD = makeWorld({
  hosts: { h1: {} },
  networks: { blue: { type: 'local' } },
  ports: { a: { network: 'blue', host: 'h1', tag: '0a', ips: ['10.0.0.10'] } },
})

test('a host whose disk is full says so, changes nothing, and goes on when there is room', async (t) => {
  const backend = createFakeBackend()
  const { compiled } = await loadFakeWorld(WORLD)
  const driver = await backend.open({ host: 'h1', installation: 'test', rundir: '', log: () => {} })
  const results: ConvergeResult[] = []
  let full = false
  let table = {}
  const converger = createConverger({
    host: 'h1',
    installation: 'test',
    compiler: { name: 'fixed', compile: () => ({ ...(compiled.get('h1') ?? (t.fail() as never)), allocations: table }) },
    driver,
    mode: 'repair',
    allocations: table,
    saveAllocations: async () => {
      if (full) throw new Error('cannot write allocations.json: ENOSPC')
    },
    onResult: (r) => results.push(r),
    now: Date.now,
    backoff: () => 10,
    setTimer: () => ({ cancel: () => {} }),
    log: () => {},
  })
  t.teardown(() => converger.close())
  converger.setTarget({ revision: 1, intents: new Map() })
  await converger.idle()
  t.is(results.at(-1)?.statuses.get(portKey('a'))?.state, 'ACTIVE')

  full = true
  table = { zone: { a: 1 } }
  const writes = backend.switchOf('h1').writes()
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
  t.is(backend.switchOf('h1').writes(), writes)

  full = false
  converger.recheck()
  await converger.idle()
  t.true(results.at(-1)?.converged)
  t.not(results.at(-1)?.statuses.get(HOST)?.state, 'ERROR')
})
