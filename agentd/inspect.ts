import type { Writable } from 'node:stream'
import type { Compiled, Driver } from './backends/backend.ts'
import { BACKENDS } from './backends/drivers.ts'
import { driftItems } from './converge/drift.ts'
import { wholeDelta } from './converge/tracker.ts'
import { createLog } from './log.ts'
import { openStateFile } from './northbound/statefile.ts'
import type { AgentOptions } from './options.ts'
import { hostIntent, intentsOf } from './target.ts'

type InspectOptions = Omit<AgentOptions, 'server'>

/** Compiles the set on disk against the switch as it is, and hands both to `look`. Writes nothing anywhere. */
async function inspect(options: InspectOptions, look: (compiled: Compiled, driver: Driver) => Promise<number>): Promise<number> {
  const backend = BACKENDS[options.backend]
  const saved = await openStateFile(options.stateDir).load()
  const own = saved.current === undefined ? undefined : hostIntent(options.host, saved.current.scopes)
  if (backend === undefined || saved.current === undefined || own === undefined) {
    throw new Error(
      `${options.stateDir} holds no target for host ${options.host}; has netloom-agentd run here with this --host and --state-dir?`,
    )
  }
  const driver = await backend.open({ ...options, installation: own.installation, log: createLog(options.host, 'error') })
  try {
    const intents = intentsOf(saved.current.scopes)
    const { installation } = own
    return await look(
      backend.compiler.compile({ host: options.host, installation, intents, facts: driver.facts(), allocations: saved.allocations }),
      driver,
    )
  } finally {
    await driver.close()
  }
}

/** Prints what differs, one line each; 2 when something does. */
export async function inspectDrift(options: InspectOptions, out: Writable): Promise<number> {
  return await inspect(options, async (compiled, driver) => {
    const observed = await driver.observe({ fresh: true })
    const items = driftItems(wholeDelta(compiled.items, observed.items), observed, 'report', new Map(), new Date().toISOString())
    for (const item of items) {
      const fields = item.fields.map(
        (f) => `${f.field === '' ? '' : `${f.field}: `}want ${f.want ?? 'nothing'}, have ${f.have ?? 'nothing'}`,
      )
      out.write(`${item.kind}  ${item.where}  ${fields.join('; ')}${item.owners.length === 0 ? '' : `  (${item.owners.join(', ')})`}\n`)
    }
    const ours = items.filter((i) => i.kind !== 'foreign').length
    out.write(ours === 0 ? 'No drift.\n' : `${ours} drifted.\n`)
    return ours === 0 ? 0 : 2
  })
}

/** Prints every row and flow of the last target. */
export async function inspectItems(options: InspectOptions, out: Writable): Promise<number> {
  return await inspect(options, (compiled) => {
    for (const item of [...compiled.items.values()].sort((a, b) => (a.key < b.key ? -1 : 1))) {
      out.write(`${item.key}\n${item.text.replace(/^/gm, '    ')}\n`)
    }
    return Promise.resolve(0)
  })
}
