import test from 'ava'
import { featureEntries, pluginEntries } from '../../src/plugins/catalogue.ts'
import { defaultDirectory } from '../../src/plugins/choose.ts'
import { attributesOf } from '../../src/plugins/conflicts.ts'
import { promiseFaults } from '../../src/plugins/faults.ts'
import type { Inability, Plugin } from '../../src/plugins/plugin.ts'
import { servicePlugin as plugin } from '../support/plugin.ts'
import { directoryOf, kind, line, said, together, withKinds } from './make.ts'

const boxes = (...cannot: readonly Inability[]): Plugin => plugin('boxes', { cannot })
const MTU: Inability = { alias: 'net-mtu-writable', why: 'its boxes carry 1500 bytes' }
const overrides = (...names: readonly string[]) => ({ overrides: names.map((name, i) => ({ name, place: line(30 + i) })) })

function judge(plugins: readonly Plugin[], names: readonly string[] = []): readonly string[] {
  const made = together(plugins, overrides(...names))
  return [...made.issues.map(said), ...(made.directory === undefined ? [] : ['starts'])]
}

test('E0727: a promise that a plugin cannot keep ends the start, with who makes it, who cannot keep it, and the way out', (t) => {
  t.deepEqual(judge([boxes(MTU)]), [
    '10: E0727 plugin boxes cannot keep net-mtu-writable, which plugin ml2 promises: its boxes carry 1500 bytes → write overrides: [net-mtu-writable] in netloom.yaml to do without it everywhere, or take boxes out of service_plugins',
  ])
  const cables = plugin('cables', { extensions: [{ alias: 'cable', summary: 'x' }] })
  t.deepEqual(judge([cables, boxes(MTU, { alias: 'cable', why: 'it has none' })], ['net-mtu-writable']), [
    '11: E0727 plugin boxes cannot keep cable, which plugin cables promises: it has none (10: cables, which promises it, is named here) → write overrides: [net-mtu-writable, cable] in netloom.yaml to do without them everywhere, or take boxes out of service_plugins',
  ])
})

test('what nobody promises nobody has to keep', (t) => {
  const directory = directoryOf([boxes({ alias: 'sfc', why: 'it has none' })])
  t.deepEqual(directory.off, [])
  t.is(pluginEntries(directory).find((p) => p.name === 'boxes')?.cannot[0]?.alias, 'sfc', 'but it is shown')
})

test('with the override the alias is off, and says by whom; what it covers cannot be written, the rest can', (t) => {
  const directory = directoryOf([boxes(MTU)], overrides('net-mtu-writable'))
  t.deepEqual(directory.warnings, [])
  t.deepEqual(
    directory.off.map(({ alias, plugin: of, by }) => ({ alias, of, by })),
    [{ alias: 'net-mtu-writable', of: 'ml2', by: [{ plugin: 'boxes', why: MTU.why }] }],
  )
  t.false(featureEntries(directory).some((f) => f.alias === 'net-mtu-writable'))
  const network = directory.kinds.find((k) => k.kind === 'network')
  const whole = defaultDirectory().kinds.find((k) => k.kind === 'network')
  t.truthy(network)
  t.deepEqual(whole && attributesOf(whole).filter((a) => network && !attributesOf(network).includes(a)), ['mtu'])
  t.is(
    directory.absent.get('network.mtu'),
    'it belongs to net-mtu-writable, which is off by overrides in netloom.yaml: plugin boxes cannot keep it',
  )
  const ml2 = pluginEntries(directory).find((p) => p.name === 'ml2')
  t.false(ml2?.extensions.some((e) => e.alias === 'net-mtu-writable'))
  t.deepEqual(
    ml2?.off.map((o) => o.alias),
    ['net-mtu-writable'],
  )
  const waiting = boxes({ alias: 'ip_allocation', why: 'x' })
  t.not(directoryOf([waiting], overrides('ip_allocation')).digest, directoryOf([boxes()]).digest, 'also where nothing but the word goes')
})

test('kinds, added attributes and computed ones go with their alias', (t) => {
  const why = 'x'
  const gone = ['rbac-policies', 'rbac-security-groups', 'rbac-address-group', 'standard-attr-tag', 'standard-attr-timestamp']
  const directory = directoryOf([boxes(...gone.map((alias) => ({ alias, why })))], overrides(...gone))
  t.false(directory.kinds.some((k) => k.kind === 'rbac_policy'))
  t.is(directory.added.get('port')?.get('tags'), undefined)
  t.false(directory.kinds.some((k) => attributesOf(k).includes('tags')))
  t.deepEqual(
    directory.computed.flatMap((c) => c.names),
    ['revision_number'],
  )
  for (const word of ['collection rbac_policies', 'kind rbac_policy', 'port.tags']) t.regex(directory.absent.get(word) ?? '', /boxes/, word)
})

test('W0728 and E0729: an override that nobody needs is said, and one that means nothing is refused', (t) => {
  t.deepEqual(judge([], ['net-mtu']), [
    '30: W0728 overrides: every plugin here keeps net-mtu, so it stays on → take net-mtu out of overrides',
    'starts',
  ])
  t.deepEqual(judge([boxes(MTU)], ['net-mtu-writeable', 'nothing', 'net-mtu-writable']), [
    '30: E0729 overrides: no plugin here brings an alias net-mtu-writeable → did you mean net-mtu-writable?',
    '31: E0729 overrides: no plugin here brings an alias nothing → `netloom plugins` lists the aliases of each plugin',
  ])
  t.true(
    directoryOf([], overrides('net-mtu')).extensions.some((e) => e.alias === 'net-mtu'),
    'it stays on',
  )
})

test('E0730: what other kinds cannot do without cannot be off', (t) => {
  t.deepEqual(judge([boxes({ alias: 'address-scope', why: 'x' })], ['address-scope']), [
    '30: E0730 overrides: address-scope cannot be off, for it brings kind address_scope, which subnetpool cannot do without → take address-scope out of overrides, and the plugin that cannot keep it out of service_plugins',
  ])
})

test('E0731: what builds on an alias that is off has to be given up too, by name', (t) => {
  const cannot = boxes({ alias: 'segment', why: 'x' })
  t.deepEqual(judge([cannot], ['segment']), [
    '30: E0731 overrides: ip_allocation of plugin ml2 builds on segment, which is to be off → add ip_allocation to overrides too',
  ])
  const directory = directoryOf([cannot], overrides('segment', 'ip_allocation'))
  t.deepEqual(directory.warnings, [])
  t.deepEqual(
    directory.off.map((o) => [o.alias, o.builds_on]),
    [
      ['segment', []],
      ['ip_allocation', ['segment']],
    ],
  )
})

test('E0719: a plugin that speaks of promises without sense', (t) => {
  const of = (parts: object): readonly string[] =>
    judge([{ ...plugin('boxes', {}), ...parts } as Plugin]).map((i) => i.replace(/ → this is a fault of the plugin.*/, ''))
  t.deepEqual(of({ cannot: 'net-mtu' }), ['10: E0719 plugin boxes: `cannot` is no list'])
  t.deepEqual(of({ cannot: ['net-mtu', { alias: 'net-mtu' }] }), [
    '10: E0719 plugin boxes: `cannot[0]` does not say `alias` and `why`',
    '10: E0719 plugin boxes: `cannot[1]` does not say `alias` and `why`',
  ])
  const extensions = [{ alias: 'a', summary: 'x', covers: ['box.lid', 'box.side', 'network.mtu'] }]
  const schema = { type: 'object', additionalProperties: false, required: ['side'], properties: { side: { type: 'string' } } } as const
  const kinds = withKinds('boxes', kind('box', { schema }))
  t.deepEqual(of({ ...kinds, extensions: [...kinds.extensions, ...extensions], cannot: [{ alias: 'a', why: 'x' }] }), [
    '10: E0719 plugin boxes: `cannot` names a, which is its own',
    '10: E0719 plugin boxes: extension a covers box.lid, which no kind of the plugin has',
    '10: E0719 plugin boxes: extension a covers box.side, which is required',
    '10: E0719 plugin boxes: extension a covers network.mtu, which no kind of the plugin has',
  ])
})

test('what the built-in plugins say their aliases cover is there', (t) => {
  const directory = defaultDirectory()
  for (const { plugin: one, ...chosen } of directory.plugins)
    t.deepEqual(promiseFaults({ plugin: { plugin: one, ...chosen }, kinds: one.kinds?.(directory.drivers) ?? [] }), [], one.name)
})
