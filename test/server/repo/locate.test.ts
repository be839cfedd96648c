import test from 'ava'
import type { Place } from '../../../src/model/issue.ts'
import { makeKey } from '../../../src/model/key.ts'
import { EMPTY_TREE, withFiles } from '../../../src/server/load/tree.ts'
import { fileLocator, type ValueTarget } from '../../../src/server/repo/locate.ts'
import { parseFile } from '../../../src/server/repo/parse.ts'
import { treeLocator } from '../../../src/server/repo/places.ts'
import { TEST_KINDS } from '../load/kinds.ts'
import { LOADER } from './harness.ts'

const TEXT = `# a comment
networks: { blue: { mtu: 1400 } }
ports:
  other: {}
---
project: shop
ports:
  web-1:
    network: blue   # here
    fixed_ips:
      - ip_address: 10.0.0.1
      - { ip_address: 10.0.0.2, subnet: s }
    security_groups: [web, db]
    binding:
  "web 2": { network: red }
  web-3:
    &anchor
    network: red
`

function at(target: Omit<ValueTarget, 'project'> & { project?: string }): string {
  const place = fileLocator('f.yaml', Buffer.from(TEXT)).ofValue({ project: 'shop', ...target })
  return place === undefined ? 'nowhere' : marked(place)
}

/** The text that a place covers, with its line. */
function marked(place: Place): string {
  const line = TEXT.split('\n')[place.line - 1] ?? ''
  return `${place.line}: ${line.slice(place.col - 1, (place.endCol ?? place.col) - 1)}`
}

test('values, items of lists, keys of blocks, and what is missing', (t) => {
  const port = { collection: 'ports', name: 'web-1' }
  t.is(at({ ...port, at: [] }), '8: web-1')
  t.is(at({ ...port, at: ['network'] }), '9: blue')
  t.is(at({ ...port, at: ['fixed_ips'] }), '10: fixed_ips')
  t.is(at({ ...port, at: ['fixed_ips', 0] }), '11: ip_address: 10.0.0.1')
  t.is(at({ ...port, at: ['fixed_ips', 1, 'subnet'] }), '12: s')
  t.is(at({ ...port, at: ['fixed_ips', 1, 'nothing'] }), '12: { ip_address: 10.0.0.2, subnet: s }')
  t.is(at({ ...port, at: ['fixed_ips', 7, 'ip_address'] }), '10: fixed_ips')
  t.is(at({ ...port, at: ['security_groups', 1] }), '13: db')
  t.is(at({ ...port, at: ['binding'] }), '14: binding')
  t.is(at({ ...port, at: ['mac_address'] }), '8: web-1')
  t.is(at({ collection: 'ports', name: 'web 2', at: ['network'] }), '15: red')
  t.is(at({ collection: 'ports', name: 'web-3', at: ['network'] }), '18: red')
})

test('the right document, project and collection; nowhere else', (t) => {
  t.is(at({ collection: 'networks', project: 'default', name: 'blue', at: ['mtu'] }), '2: 1400')
  t.is(at({ collection: 'ports', project: 'default', name: 'other', at: [] }), '4: other')
  t.is(at({ collection: 'ports', name: 'other', at: [] }), 'nowhere')
  t.is(at({ collection: 'routers', name: 'web-1', at: [] }), 'nowhere')
})

test('with the place of the name, only its lines are read, and the answer is the same', (t) => {
  const near = { file: 'f.yaml', line: 8, col: 3, endCol: 8 }
  for (const path of [[], ['network'], ['fixed_ips', 1, 'subnet'], ['fixed_ips', 9], ['gone'], ['security_groups']]) {
    const target = { collection: 'ports', name: 'web-1', at: path }
    t.is(at({ ...target, near }), at(target))
  }
  // Where they cannot be read alone (an anchor, a flow map, a wrong hint), the whole file answers.
  t.is(at({ collection: 'ports', name: 'web-3', at: ['network'], near: { file: 'f.yaml', line: 16, col: 3 } }), '18: red')
  t.is(at({ collection: 'networks', project: 'default', name: 'blue', at: ['mtu'], near: { file: 'f.yaml', line: 2, col: 13 } }), '2: 1400')
  t.is(at({ collection: 'ports', name: 'web-1', at: ['network'], near: { file: 'f.yaml', line: 15, col: 3 } }), '9: blue')
})

test('unreadable bytes are nowhere', (t) => {
  const find = (bytes: Uint8Array) => fileLocator('f.yaml', bytes).ofValue({ collection: 'ports', project: 'shop', name: 'web-1', at: [] })
  for (const text of ['', '[', '\u0000', '['.repeat(5000), '%YAML 9\n---\n']) t.is(find(Buffer.from(text)), undefined)
  t.is(find(Buffer.from([0xff, 0xfe, 0x80])), undefined)
})

test('places for the engine: precise, a line off when the file changed meanwhile, else the name', (t) => {
  const bytes = Buffer.from(TEXT.replace('    &anchor\n', ''))
  const loaded = LOADER.load(parseFile('f.yaml', bytes), LOADER.hash('f.yaml', bytes), fileLocator('f.yaml', bytes).inDocument)
  const site = Buffer.from('installation: x\ndrift:\n  mode: off\n')
  const siteFile = LOADER.load(
    parseFile('netloom.yaml', site),
    LOADER.hash('netloom.yaml', site),
    fileLocator('netloom.yaml', site).inDocument,
  )
  const { tree } = withFiles(EMPTY_TREE, [loaded, siteFile])
  const files: Record<string, Uint8Array> = { 'f.yaml': bytes, 'netloom.yaml': site }
  const locate = treeLocator(tree, TEST_KINDS, (path) => files[path])
  const blue = makeKey('network', 'default', 'blue')
  t.like(locate(blue, []), { line: 2, col: 13 })
  t.like(locate(blue, ['mtu']), { line: 2, col: 26, endCol: 30 })
  t.like(locate(makeKey('site', '', 'site'), ['drift', 'mode']), { line: 3, col: 9 })
  t.is(locate(makeKey('network', 'default', 'unknown'), []), undefined)
  files['f.yaml'] = Buffer.from('networks: {}\n')
  t.like(treeLocator(tree, TEST_KINDS, (path) => files[path])(blue, ['mtu']), { line: 2, col: 13 })
  files['f.yaml'] = Buffer.from(`# one more\n${TEXT}`)
  t.like(treeLocator(tree, TEST_KINDS, (path) => files[path])(blue, ['mtu']), { line: 3, col: 26 })
  t.like(treeLocator(tree, TEST_KINDS, () => undefined)(blue, ['mtu']), { line: 2, col: 13 })
})
