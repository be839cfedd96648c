import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Compiled, Facts } from '../../../../../agentd/backends/backend.ts'
import { createOvsCompiler } from '../../../../../agentd/backends/ovs/compile/compile.ts'
import type { Intent } from '../../../../../src/model/intent.ts'
import type { IntentKey, Scope } from '../../../../../src/model/scope.ts'

/** Each case: what a host is given (`intents.json`), what its switch says (`facts.json`), what comes out (`expected.txt`). */
const CASES: string = new URL('../../../../../../test/agentd/backends/ovs/compile/cases/', import.meta.url).pathname

export const CASE_NAMES: readonly string[] = readdirSync(CASES).sort()

export function caseFile(name: string, file: string): string {
  return join(CASES, name, file)
}

interface Given {
  readonly host: string
  readonly scopes: Readonly<Record<Scope, Readonly<Record<IntentKey, Intent>>>>
}

/** `more`: facts besides those of the case. */
export function compileCase(name: string, more: Partial<Facts> = {}): Compiled {
  const given = JSON.parse(readFileSync(caseFile(name, 'intents.json'), 'utf8')) as Given
  const facts: Facts = { ...(JSON.parse(readFileSync(caseFile(name, 'facts.json'), 'utf8')) as Facts), ...more }
  const intents = new Map(
    Object.entries(given.scopes).map(([scope, held]) => [scope as Scope, new Map(Object.entries(held) as [IntentKey, Intent][])]),
  )
  return createOvsCompiler().compile({ host: given.host, installation: 'lab', intents, facts, allocations: {} })
}
