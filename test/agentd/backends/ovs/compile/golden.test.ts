import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { Facts } from '../../../../../agentd/backends/backend.ts'
import { createOvsCompiler } from '../../../../../agentd/backends/ovs/compile/compile.ts'
import { listing } from '../../../../../agentd/backends/ovs/compile/listing.ts'
import type { Intent } from '../../../../../src/model/intent.ts'
import type { IntentKey, Scope } from '../../../../../src/model/scope.ts'

/** Each case: what a host is given (`intents.json`), what its switch says (`facts.json`), what comes out. `UPDATE=1` writes the last anew. */
const CASES = new URL('../../../../../../test/agentd/backends/ovs/compile/cases/', import.meta.url).pathname

interface Given {
  readonly host: string
  readonly scopes: Readonly<Record<Scope, Readonly<Record<IntentKey, Intent>>>>
}

for (const name of readdirSync(CASES).sort()) {
  test(`compiled: ${name}`, (t) => {
    const at = (file: string): string => join(CASES, name, file)
    const given = JSON.parse(readFileSync(at('intents.json'), 'utf8')) as Given
    const facts = JSON.parse(readFileSync(at('facts.json'), 'utf8')) as Facts
    const intents = new Map(
      Object.entries(given.scopes).map(([scope, held]) => [scope as Scope, new Map(Object.entries(held) as [IntentKey, Intent][])]),
    )
    const compiled = createOvsCompiler().compile({ host: given.host, installation: 'lab', intents, facts, allocations: {} })
    const text = listing(compiled)
    if (process.env['UPDATE'] === '1') writeFileSync(at('expected.txt'), text)
    t.is(text, readFileSync(at('expected.txt'), 'utf8'))
  })
}
