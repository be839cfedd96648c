import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { NorthboundError } from '../../../agentd/northbound/error.ts'
import { adoptContent, type HeldScopes } from '../../../agentd/northbound/held.ts'
import { openStateFile, type SavedSet } from '../../../agentd/northbound/statefile.ts'
import type { Scope } from '../../../src/model/scope.ts'
import { scopeOf } from '../../server/hub/worlds.ts'

async function directory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'netloom-state-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

function set(revision: number, ...ports: string[]): SavedSet {
  const state = scopeOf(Object.fromEntries(ports.map((p, i) => [p, i])))
  const held = adoptContent(undefined, { version: state.version, intents: Object.fromEntries(state.intents) })
  if (held === undefined) throw new Error('the scope is not what its version says')
  const scopes: HeldScopes = new Map([['net/a' as Scope, held]])
  return { revision, scopes }
}

test('what was saved comes back; the set before it is the previous one', async (t) => {
  const path = await directory(t)
  const file = openStateFile(join(path, 'not', 'there', 'yet'))
  t.deepEqual(await file.load(), { current: undefined, previous: undefined, allocations: {}, notes: [] })
  await file.saveSet(set(1, 'a'))
  await file.saveSet(set(2, 'a', 'b'))
  await file.saveAllocations({ zone: { 'port/default/a': 7 } })
  const loaded = await openStateFile(join(path, 'not', 'there', 'yet')).load()
  t.deepEqual(loaded, { current: set(2, 'a', 'b'), previous: set(1, 'a'), allocations: { zone: { 'port/default/a': 7 } }, notes: [] })
})

test('cut short anywhere, altered anywhere: never a wrong set; the one before is taken, and it is said', async (t) => {
  const path = await directory(t)
  const file = openStateFile(path)
  await file.saveSet(set(1, 'a'))
  await file.saveSet(set(2, 'a', 'b'))
  const name = join(path, 'set.json')
  const whole = await readFile(name)
  for (let cut = 0; cut < whole.length; cut += 7) {
    await writeFile(name, whole)
    await truncate(name, cut)
    t.is((await file.load()).current?.revision, 1)
  }
  for (let at = 0; at < whole.length; at += 7) {
    const altered = Buffer.from(whole)
    altered[at] = (altered[at] ?? 0) ^ 1
    await writeFile(name, altered)
    const { current, notes } = await file.load()
    t.is(current?.revision, 1)
    t.deepEqual(notes, [`${name} is damaged or of another format, and is not used`, 'starting from the set before, revision 1'])
  }
  await rm(name)
  const { current, notes } = await file.load()
  t.is(current?.revision, 1)
  t.is(notes.length, 1)
})

test('damaged allocations fall back to the ones before; with both gone there are none, and it is said', async (t) => {
  const path = await directory(t)
  const file = openStateFile(path)
  await file.saveAllocations({ zone: { a: 1 } })
  await file.saveAllocations({ zone: { a: 1, b: 2 } })
  await writeFile(join(path, 'allocations.json'), 'x\n{}')
  t.deepEqual((await file.load()).allocations, { zone: { a: 1 } })
  await writeFile(join(path, 'allocations.previous.json'), '')
  const { allocations, notes } = await file.load()
  t.deepEqual([allocations, notes.length], [{}, 2])
})

test('writes that overlap end with the last one, and leave no temporary file', async (t) => {
  const path = await directory(t)
  const file = openStateFile(path)
  await Promise.all(Array.from({ length: 20 }, (_, i) => Promise.all([file.saveSet(set(i + 1, 'a')), file.saveAllocations({ n: { i } })])))
  const { current, previous, allocations, notes } = await file.load()
  t.deepEqual([current?.revision, previous?.revision, allocations, notes], [20, 19, { n: { i: 19 } }, []])
  t.deepEqual((await readdir(path)).sort(), ['allocations.json', 'allocations.previous.json', 'set.json', 'set.previous.json'])
})

test('a disk that cannot be written is an error of its own', async (t) => {
  const path = await directory(t)
  await writeFile(join(path, 'file'), '')
  await t.throwsAsync(openStateFile(join(path, 'file')).saveSet(set(1, 'a')), { instanceOf: NorthboundError, code: 'disk' })
})
