import { existsSync, readdirSync } from 'node:fs'
import test from 'ava'
import { kinds } from '../support/kinds.ts'

const folder = new URL('../../../src/kinds/', import.meta.url)

test('the list of kinds is what is on disk, and each folder has its parts', (t) => {
  const folders = readdirSync(folder, { withFileTypes: true })
    .filter((e) => e.isDirectory())
    .map((e) => e.name)
  t.deepEqual(kinds.map((k) => k.kind).sort(), folders.sort())
  for (const name of folders)
    for (const part of ['index.ts', 'check.ts', 'resolve.ts', 'README.md'])
      t.true(existsSync(new URL(`${name}/${part}`, folder)), `${name}/${part}`)
})

test('collections and names are unique, and every `after` exists', (t) => {
  const names = new Set(kinds.map((k) => k.kind))
  t.is(names.size, kinds.length)
  t.is(new Set(kinds.map((k) => k.collection)).size, kinds.length)
  for (const kind of kinds) for (const other of kind.after) t.true(names.has(other), `${kind.kind} after ${other}`)
})
