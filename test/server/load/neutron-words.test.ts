import test from 'ava'
import { NEUTRON_WORDS } from '../../../src/server/load/neutron-words.ts'
import { kinds } from '../../support/kinds.ts'

/** Names of all attributes, of whatever depth, in the schemas of the kinds. */
function attributes(schema: unknown, out: Set<string> = new Set()): Set<string> {
  if (schema === null || typeof schema !== 'object') return out
  for (const [name, value] of Object.entries(schema)) {
    if (name === 'properties' && typeof value === 'object' && value !== null) for (const attribute of Object.keys(value)) out.add(attribute)
    attributes(value, out)
  }
  return out
}

test('what the table says to write is an attribute of some kind, and what it translates is none', (t) => {
  const known = attributes(kinds.map((k) => k.schema))
  t.true(known.has('fixed_ips') && known.has('ip_address'))
  for (const [word, translation] of NEUTRON_WORDS) {
    t.false(known.has(word), word)
    if ('write' in translation) t.true(known.has(translation.write), `${word} → ${translation.write}`)
  }
})
