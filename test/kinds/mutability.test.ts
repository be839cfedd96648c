import test from 'ava'
import { isRecord } from '../../src/lib/json.ts'
import { kinds } from '../support/kinds.ts'

function attributesOf(schema: unknown): readonly string[] {
  const properties = isRecord(schema) ? schema['properties'] : undefined
  return isRecord(properties) ? Object.keys(properties).filter((name) => name !== 'id') : []
}

test('what a change of it does is decided for every attribute of every kind, those that plugins add included', (t) => {
  let seen = 0
  for (const kind of kinds) {
    const attributes = attributesOf(kind.schema)
    t.deepEqual(Object.keys(kind.mutability ?? {}).sort(), [...attributes].sort(), kind.kind)
    seen += attributes.length
  }
  t.true(seen > 80, `${seen} attributes seen`)
})
