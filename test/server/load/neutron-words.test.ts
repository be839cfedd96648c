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
    // An entry of a list may have a name; what is asked for by name on a whole resource is another thing.
    if (word !== 'name') t.false(known.has(word), word)
    for (const kind of kinds)
      t.false(Object.keys((kind.schema as { properties?: object }).properties ?? {}).includes(word), `${kind.kind}.${word}`)
    if ('write' in translation) t.true(known.has(translation.write), `${word} → ${translation.write}`)
  }
})
