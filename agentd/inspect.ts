import type { Writable } from 'node:stream'
import { count } from '../src/lib/text.ts'
import type { Compiled, Driver } from './backends/backend.ts'
import { BACKENDS } from './backends/drivers.ts'
import { driftItems, foreignOf } from './converge/drift.ts'
import { wholeDelta } from './converge/tracker.ts'
import { createLog } from './log.ts'
import { openStateFile } from './northbound/statefile.ts'
import type { AgentOptions } from './options.ts'
import { hostIntent, intentsOf } from './target.ts'

type InspectOptions = Omit<AgentOptions, 'server'>

/** Opens the switch, and hands `look` what compiles the set on disk against it as it is then. Writes nothing anywhere. */
async function inspect(options: InspectOptions, look: (compile: () => Compiled, driver: Driver) => Promise<number>): Promise<number> {
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
    const given = { host: options.host, installation, intents, allocations: saved.allocations }
    return await look(() => backend.compiler.compile({ ...given, facts: driver.facts() }), driver)
  } finally {
    await driver.close()
  }
}

/** Prints what differs, one line each; 2 when something does. */
export async function inspectDrift(options: InspectOptions, out: Writable): Promise<number> {
  return await inspect(options, async (compile, driver) => {
    const observed = await driver.observe({ fresh: true })
    const compiled = compile()
    const delta = wholeDelta(compiled.items, observed.items)
    const items = driftItems(delta, foreignOf(compiled, observed), 'report', new Map(), new Date().toISOString())
    for (const item of items) {
      const fields = item.fields.map(
        (f) => `${f.field === '' ? '' : `${f.field}: `}want ${f.want ?? 'nothing'}, have ${f.have ?? 'nothing'}`,
      )
      out.write(`${item.kind}  ${item.where}  ${fields.join('; ')}${item.owners.length === 0 ? '' : `  (${item.owners.join(', ')})`}\n`)
    }
    const ours = items.filter((i) => i.kind !== 'foreign').length
    const others = items.length - ours
    const aside = others === 0 ? '' : ` ${count(others, 'thing')} of others ${others === 1 ? 'is' : 'are'} left alone.`
    out.write(`${ours === 0 ? 'No drift.' : `${ours} drifted.`}${aside}\n`)
    return ours === 0 ? 0 : 2
  })
}

/** Prints every row and flow of the last target. */
export async function inspectItems(options: InspectOptions, out: Writable): Promise<number> {
  return await inspect(options, (compile) => {
    for (const item of [...compile().items.values()].sort((a, b) => (a.key < b.key ? -1 : 1))) {
      out.write(`${item.key}\n${item.text.replace(/^/gm, '    ')}\n`)
    }
    return Promise.resolve(0)
  })
}
