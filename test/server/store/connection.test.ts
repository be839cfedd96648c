import { join } from 'node:path'
import test from 'ava'
import { Connection, int, type SqlValue, text } from '../../../src/server/store/connection.ts'
import { StoreError } from '../../../src/server/store/error.ts'
import { countPlaceholders } from '../../../src/server/store/placeholders.ts'
import { Writer } from '../../../src/server/store/writer.ts'
import { scratch } from './fixtures.ts'

test('placeholders are counted outside strings and comments', (t) => {
  t.is(countPlaceholders('SELECT \'?\', "a?", ? -- ?\n, /* ? */ ?'), 2)
  t.throws(() => countPlaceholders('SELECT ?1'), { message: /plain/ })
  t.throws(() => countPlaceholders('SELECT :name'), { message: /plain/ })
})

test('what SQLite would lose is refused', async (t) => {
  const db = await Connection.open(join(await scratch(t), 'x.db'), 'write')
  t.teardown(() => db.close())
  const lossy: readonly unknown[] = [undefined, 1n, {}, new Date(0), true, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]
  for (const value of lossy) await t.throwsAsync(db.get('SELECT ?', value as SqlValue), { message: /parameter 1/ }, String(value))
  await t.throwsAsync(db.get('SELECT ?, ?', 1), { message: /2 parameters wanted, 1 given/ })
  await t.throwsAsync(db.get('SELECT 1', 1), { message: /0 parameters wanted, 1 given/ })
  t.deepEqual(await db.get('SELECT ? AS a, ? AS b, ? AS c', 'é\u0000x', 2 ** 53 - 1, null), { a: 'é\u0000x', b: 2 ** 53 - 1, c: null })
  t.throws(() => text({ a: 1 }, 'a'), { instanceOf: StoreError })
  t.throws(() => int({ a: 9007199254740992 }, 'a'), { instanceOf: StoreError })
})

test('a read handle cannot write', async (t) => {
  const file = join(await scratch(t), 'x.db')
  const db = await Connection.open(file, 'write')
  await db.exec('CREATE TABLE a (b TEXT) STRICT')
  const reader = await Connection.open(file, 'read')
  const error = await t.throwsAsync(reader.run('INSERT INTO a VALUES (?)', 'x'), { instanceOf: StoreError })
  t.truthy(error?.cause)
  await reader.close()
  await db.close()
})

test('transactions take turns, and one that fails leaves nothing', async (t) => {
  const file = join(await scratch(t), 'x.db')
  const db = await Connection.open(file, 'write')
  await db.exec('CREATE TABLE a (b INTEGER) STRICT')
  const writer = new Writer(db)
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2))
  const work = [...Array(20).keys()].map((i) =>
    writer.tx(async (tx) => {
      await tx.run('INSERT INTO a VALUES (?)', i)
      await pause()
      if (i % 4 === 3) throw new Error(`no ${i}`)
      await tx.run('INSERT INTO a VALUES (?)', i + 100)
    }),
  )
  const settled = await Promise.allSettled(work)
  t.deepEqual(
    settled.map((s) => s.status === 'rejected').flatMap((bad, i) => (bad ? [i] : [])),
    [3, 7, 11, 15, 19],
  )
  t.is((await db.get('SELECT count(*) AS n FROM a'))?.['n'], 30)
  await writer.close()
})
