import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Connection } from '../../../src/server/store/connection.ts'
import { StoreError } from '../../../src/server/store/error.ts'
import { canBeFrozen } from '../../../src/server/store/frozen.ts'
import { forgotten, markHeld, nothingThere, refuseEmptied } from '../../../src/server/store/held.ts'
import { openStore } from '../../../src/server/store/open.ts'

async function stateFile(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-store-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  // A name that means something in the address of a file.
  return join(dir, 'state #1?.db')
}

const codeOf = (work: () => void): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    return error instanceof StoreError ? error.code : String(error)
  }
}

test('read as it stands: what is read after another process wrote is not handed out', async (t) => {
  const file = await stateFile(t)
  await (await openStore(file, { access: 'plan' })).close()
  t.true(canBeFrozen(file))
  const frozen = await Connection.open(file, 'frozen')
  t.teardown(() => frozen.close())
  const ask = 'SELECT count(*) AS n FROM events'
  t.deepEqual(await frozen.get(ask), { n: 0 })
  t.false(existsSync(`${file}-shm`))
  // Nothing but the log is touched by a writer that has not checkpointed.
  const writer = await openStore(file, { access: 'plan' })
  await writer.event('test', {})
  t.false(canBeFrozen(file))
  await t.throwsAsync(frozen.get(ask), { instanceOf: StoreError, code: 'changed' })
  // The log is folded in and gone: the file is not the one it was.
  await writer.close()
  t.true(canBeFrozen(file))
  await t.throwsAsync(frozen.get(ask), { instanceOf: StoreError, code: 'changed' })
})

test('what tells an empty or missing state file that was lost from one that never was', async (t) => {
  const file = await stateFile(t)
  t.is(nothingThere(file).code, 'missing')
  t.is(forgotten(file, 0), undefined)
  await writeFile(file, '')
  await writeFile(`${file}-wal`, '')
  await writeFile(join(file, '..', 'server.key'), '{}')
  t.is(
    codeOf(() => refuseEmptied(file)),
    undefined,
  )
  markHeld(file)
  markHeld(file)
  t.is(
    codeOf(() => refuseEmptied(file)),
    'emptied',
  )
  t.is(forgotten(file, 0)?.code, 'W0810')
  t.is(forgotten(file, 1), undefined)
  await rm(file)
  t.is(
    codeOf(() => refuseEmptied(file)),
    undefined,
  )
  t.is(nothingThere(file).code, 'lost')
})

test('to read makes no state file, nor fills one that is not one yet', async (t) => {
  const file = await stateFile(t)
  await t.throwsAsync(openStore(file, { access: 'read' }), { code: 'missing' })
  t.false(existsSync(file))
  await writeFile(file, '')
  await t.throwsAsync(openStore(file, { access: 'read' }), { code: 'missing' })
  await writeFile(file, 'no')
  await t.throwsAsync(openStore(file, { access: 'read' }), { code: 'corrupt' })
})
