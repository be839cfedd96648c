/**
 * The process that the crash tests kill. It commits one revision after the other; revision N holds ports `a` to `j` with spec {n: N},
 * N more ports named after it, and one allocation of value N. argv: state file, fail point (`-` for none), number of revisions.
 */
import process from 'node:process'
import type { Key } from '../../../src/model/key.ts'
import { openStore } from '../../../src/server/store/open.ts'
import type { Store } from '../../../src/server/store/types.ts'
import { created, declared, deleted, NOW, planOf, port, updated } from './fixtures.ts'

export const STEADY: readonly Key[] = [...'abcdefghij'].map(port)

/** Keys that only revision `n` has. */
export function passing(n: number): readonly Key[] {
  return Array.from({ length: n % 7 }, (_, i) => port(`only-${n}-${i}`))
}

export async function commitNext(store: Store): Promise<number> {
  const base = (await store.currentRevision())?.revision ?? 0
  const n = base + 1
  const set = [...STEADY, ...passing(n)].map((key) => declared(key, { n }))
  const changes = [
    ...STEADY.map((key) => (base === 0 ? created(key, { n }) : updated(key, { n: base }, { n }))),
    ...passing(n).map((key) => created(key, { n })),
    ...passing(base).map((key) => deleted(key, { n: base })),
  ]
  const hold = [{ pool: 'vni', value: String(n), owner: port('a'), source: 'auto' }] as const
  const free = base === 0 ? [] : [`vni|${base}`]
  const plan = planOf(base, { id: `p-${n}`, changes, set, del: passing(base), hold, free })
  await store.savePlan(plan)
  await store.commit(plan, { places: new Map(), now: NOW })
  return n
}

async function main(file: string, failAt: string, revisions: number): Promise<void> {
  const failPoint = (step: string): void => {
    if (step === failAt) process.kill(process.pid, 'SIGKILL')
  }
  const store = await openStore(file, { access: 'write', failPoint })
  process.send?.('ready')
  for (let i = 0; i < revisions; i++) await commitNext(store)
  await store.close()
  process.disconnect?.()
}

const [, script, file, failAt, revisions] = process.argv
if (script === import.meta.filename && file !== undefined) await main(file, failAt ?? '-', Number(revisions))
