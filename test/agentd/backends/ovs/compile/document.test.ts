import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { pipelineDocument } from '../../../../../agentd/backends/ovs/compile/document.ts'
import { TABLES } from '../../../../../agentd/backends/ovs/compile/pipeline.ts'
import { compileCase } from './cases.ts'

const FILE = new URL('../../../../../../docs/PIPELINE.md', import.meta.url).pathname
const BEGIN = '<!-- generated: registers and tables; UPDATE=1 writes them anew -->\n'
const END = '<!-- end of what is generated -->\n'

test('docs/PIPELINE.md shows the tables and registers as they are declared', (t) => {
  const examples = [
    'vxlan-two-hosts',
    'without-port-security',
    'vlan-and-flat',
    'allowed-address-pairs',
    'qos',
    'security-groups',
    'taps',
    'igmp-snooping',
    'routers',
  ].map((name) => compileCase(name))
  const generated = `${BEGIN}\n${pipelineDocument(examples)}\n${END}`
  const text = readFileSync(FILE, 'utf8')
  const [start, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  t.true(start >= 0 && end > start, 'the marks that enclose the generated part')
  if (process.env['UPDATE'] === '1') writeFileSync(FILE, text.slice(0, start) + generated + text.slice(end + END.length))
  t.is(readFileSync(FILE, 'utf8').slice(start, start + generated.length), generated)
  for (const { number, name } of TABLES) t.true(generated.includes(`### ${number} ${name}\n`))
})
