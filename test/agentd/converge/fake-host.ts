import type { ExecutionContext } from 'ava'
import type { AllocationTable } from '../../../agentd/backends/backend.ts'
import { createFakeBackend } from '../../../agentd/backends/fake/backend.ts'
import { type ConvergeResult, type Converger, type ConvergerOptions, createConverger } from '../../../agentd/converge/converger.ts'
import { loadFakeWorld } from '../backends/conformance/fake-world.ts'
import { makeWorld } from '../backends/conformance/world.ts'

const WORLD = makeWorld({
  hosts: { h1: {} },
  networks: { blue: { type: 'local' } },
  ports: { a: { network: 'blue', host: 'h1', tag: '0a', ips: ['10.0.0.10'] } },
})

export interface FakeHost {
  readonly converger: Converger
  readonly results: readonly ConvergeResult[]
  /** The host's fake switch, to look at and to tamper with. */
  readonly at: ReturnType<ReturnType<typeof createFakeBackend>['switchOf']>
}

/** Host h1 with port a on a fake switch, and the converger that has brought it to revision 1; `table` is what each compile allocates. */
export async function convergedHost(
  t: ExecutionContext,
  options: Partial<ConvergerOptions> = {},
  table: () => AllocationTable = () => ({}),
): Promise<FakeHost> {
  const backend = createFakeBackend()
  const { compiled } = await loadFakeWorld(WORLD)
  const h1 = compiled.get('h1') ?? (t.fail() as never)
  const results: ConvergeResult[] = []
  const converger = createConverger({
    host: 'h1',
    installation: 'test',
    compiler: { name: 'fixed', compile: () => ({ ...h1, allocations: table() }) },
    driver: await backend.open({ host: 'h1', installation: 'test', rundir: '', log: () => {} }),
    mode: 'repair',
    allocations: {},
    saveAllocations: async () => {},
    onResult: (r) => results.push(r),
    now: Date.now,
    backoff: () => 10,
    setTimer: () => ({ cancel: () => {} }),
    log: () => {},
    ...options,
  })
  t.teardown(() => converger.close())
  converger.setTarget({ revision: 1, intents: new Map() })
  await converger.idle()
  return { converger, results, at: backend.switchOf('h1') }
}
