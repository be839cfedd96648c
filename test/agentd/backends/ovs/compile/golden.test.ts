import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { listing } from '../../../../../agentd/backends/ovs/compile/listing.ts'
import { CASE_NAMES, caseFile, compileCase } from './cases.ts'

for (const name of CASE_NAMES) {
  // `UPDATE=1` writes what is expected anew.
  test(`compiled: ${name}`, (t) => {
    const text = listing(compileCase(name))
    const expected = caseFile(name, 'expected.txt')
    if (process.env['UPDATE'] === '1') writeFileSync(expected, text)
    t.is(text, readFileSync(expected, 'utf8'))
  })
}
