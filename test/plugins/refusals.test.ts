import test from 'ava'
import { defaultDirectory } from '../../src/plugins/choose.ts'
import { BUILT_IN, ON_BY_DEFAULT } from '../../src/plugins/index.ts'
import { openvswitch } from '../../src/plugins/ml2/openvswitch.ts'
import { TYPE_DRIVERS } from '../../src/plugins/ml2/types.ts'
import type { Plugin } from '../../src/plugins/plugin.ts'
import type { PluginSettings } from '../../src/plugins/settings.ts'
import { servicePlugin as plugin } from '../support/plugin.ts'
import { kind, line, said, together, withAttributes, withKinds } from './make.ts'

/** Everything that is said of these plugins, one line each. */
function judge(plugins: readonly Plugin[], settings: Partial<PluginSettings> = {}): readonly string[] {
  const made = together(plugins, settings)
  return [...made.issues.map(said), ...(made.directory === undefined ? [] : ['starts'])]
}

const named = (...names: readonly string[]) => names.map((name, i) => ({ name, place: line(20 + i) }))
const text = { type: 'string', description: 'x' } as const
const [vlan] = TYPE_DRIVERS.filter((d) => d.type === 'vlan')

test('E0701: a service plugin is no core plugin', (t) => {
  t.deepEqual(judge([], { core_plugin: { name: 'tag', place: line(3) } }), [
    '3: E0701 core_plugin: tag is a service plugin → write core_plugin: ml2, and tag among service_plugins',
  ])
})

test('E0701: a second core plugin is no service plugin', (t) => {
  t.deepEqual(judge([plugin('other', { role: 'core' })]), [
    '10: E0701 service_plugins: other is a core plugin, and ml2 is the core plugin here → write core_plugin: other, or take it out of service_plugins',
  ])
})

test('E0702: a plugin that does not exist, with the nearest one', (t) => {
  t.deepEqual(judge([], { service_plugins: named('tagg', 'nowhere') }), [
    '20: E0702 there is no plugin tagg → did you mean tag?',
    `21: E0702 there is no plugin nowhere → built-in are ${BUILT_IN.map((p) => p.name)
      .sort()
      .join(', ')}; others are named by path (./x.js) or npm package`,
  ])
})

test('E0703: two plugins of one service type, with both places and where each comes from', (t) => {
  t.deepEqual(judge([plugin('a', { provides: ['BGP'] }), plugin('b', { provides: ['BGP'] })]), [
    '11: E0703 service type BGP is brought by two plugins: a and b (a: a; b: b) (10: a is named here) → take b or a out of service_plugins in netloom.yaml',
  ])
})

test('E0703: against a plugin that is on by default, the fix is to turn that one off', (t) => {
  t.deepEqual(judge([plugin('labels', { provides: ['TAG'] })]), [
    '10: E0703 service type TAG is brought by two plugins: tag and labels (tag: built-in, on by default; labels: labels) → put tag into disabled_plugins in netloom.yaml, or take labels out of service_plugins',
  ])
})

test('E0704: a kind or a collection that another plugin has', (t) => {
  t.deepEqual(judge([withKinds('a', kind('port', { collection: 'sockets' })), withKinds('b', kind('plug', { collection: 'ports' }))]), [
    '10: E0704 kind port is brought by two plugins: ml2 and a (ml2: built-in; a: a) → take a out of service_plugins in netloom.yaml',
    '11: E0704 collection ports is brought by two plugins: ml2 and b (ml2: built-in; b: b) → take b out of service_plugins in netloom.yaml',
  ])
})

test('E0704: the site’s kind and its words belong to the program', (t) => {
  const issues = judge([
    withKinds('a', kind('site', { collection: 'sites' })),
    withKinds('b', kind('x', { collection: 'drift' }), kind('y', { collection: 'project' })),
  ])
  t.deepEqual(
    issues.map((i) => i.replace(/ → .*/, '')),
    [
      '10: E0704 kind site is brought by two plugins: netloom and a (netloom: built-in; a: a)',
      '11: E0704 plugin b: kind x has the collection drift, a word of the site file',
      '11: E0704 plugin b: kind y has the collection project, a word of the site file',
    ],
  )
})

test('E0705: an attribute that the kind has already, or that another plugin adds too', (t) => {
  const colour = { kind: 'port', properties: { colour: text } }
  t.deepEqual(
    judge([
      withAttributes('a', { kind: 'port', properties: { mac_address: text } }),
      withAttributes('b', colour),
      withAttributes('c', colour),
    ]),
    [
      '10: E0705 attribute mac_address of kind port is brought by two plugins: ml2 and a (ml2: built-in; a: a) → take a out of service_plugins in netloom.yaml',
      '12: E0705 attribute colour of kind port is brought by two plugins: b and c (b: b; c: c) (11: b is named here) → take c or b out of service_plugins in netloom.yaml',
    ],
  )
})

test('E0706: an extension alias that another plugin has', (t) => {
  t.deepEqual(judge([plugin('a', { extensions: [{ alias: 'binding', summary: 'x' }] })]), [
    '10: E0706 extension alias binding is brought by two plugins: ml2 and a (ml2: built-in; a: a) → take a out of service_plugins in netloom.yaml',
  ])
})

test('E0707: a type driver or a mechanism driver that another plugin has', (t) => {
  t.deepEqual(judge([plugin('a', { type_drivers: vlan === undefined ? [] : [vlan] }), plugin('b', { mechanism_drivers: [openvswitch] })]), [
    '10: E0707 type driver vlan is brought by two plugins: ml2 and a (ml2: built-in; a: a) → take a out of service_plugins in netloom.yaml',
    '11: E0707 mechanism driver openvswitch is brought by two plugins: ml2 and b (ml2: built-in; b: b) → take b out of service_plugins in netloom.yaml',
  ])
})

test('E0708: what is missing, with the whole chain from the plugin that somebody wrote', (t) => {
  t.deepEqual(
    judge([plugin('a', { requires: ['b'] }), plugin('b', { requires: ['C'] }), plugin('c', { provides: ['C'], requires: ['d'] })]),
    [
      '10: E0708 a plugin is missing: a → b → c → d [c needs d, and nothing here is or implements that] → add d to service_plugins in netloom.yaml, or take a out',
    ],
  )
})

test('E0709: plugins that require each other, with the circle', (t) => {
  t.deepEqual(judge([plugin('a', { requires: ['b'] }), plugin('b', { requires: ['c'] }), plugin('c', { requires: ['a'] })]), [
    '10: E0709 plugins require each other in a circle: a → b → c → a → take one of them out of service_plugins in netloom.yaml',
  ])
})

test('E0710: attributes for a kind that nobody brings', (t) => {
  const known = defaultDirectory()
    .kinds.map((k) => k.kind)
    .sort()
    .join(', ')
  t.deepEqual(judge([withAttributes('a', { kind: 'walrus', properties: { colour: text } })]), [
    `10: E0710 plugin a adds attributes to kind walrus, which nobody brings → kinds are ${known}; add the plugin that brings walrus, or take a out`,
  ])
})

test('E0712: a mechanism driver that no plugin brings', (t) => {
  t.deepEqual(judge([], { mechanism_drivers: named('openvswich', 'sriov') }), [
    '20: E0712 mechanism driver openvswich is brought by no plugin; there are openvswitch → did you mean openvswitch?',
    '21: E0712 mechanism driver sriov is brought by no plugin; there are openvswitch → add the plugin that brings it to service_plugins',
  ])
})

test('W0713: named twice is loaded once, and said', (t) => {
  const a = plugin('a', {})
  t.deepEqual(judge([a], { service_plugins: named('a', 'a', 'ml2') }), [
    '21: W0713 plugin a is named twice (20: named here first) → remove one; it is loaded once',
    '22: W0713 service_plugins: ml2 is the core plugin already → remove it; it is loaded once',
    'starts',
  ])
})

test('E0714: an alias that builds on one that nobody brings', (t) => {
  t.deepEqual(judge([plugin('a', { extensions: [{ alias: 'a', summary: 'x', requires: ['vpnaas', 'port'] }] })]), [
    '10: E0714 extension a of plugin a builds on vpnaas, which no plugin here brings → add the plugin that brings vpnaas, or take a out',
  ])
})

test('E0716: only what is on by default can be turned off', (t) => {
  t.deepEqual(judge([], { disabled_plugins: named('ml2') }), [
    `20: E0716 disabled_plugins: ml2 is not on by default → on by default are ${ON_BY_DEFAULT.join(', ')}`,
  ])
})

test('E0718: two plugins of one name', (t) => {
  const a = { name: './one.js', place: line(10) }
  const b = { name: './two.js', place: line(11) }
  const modules = [a, b].map(({ name }) => ({ name, plugin: plugin('same', {}) }))
  t.deepEqual(judge([], { service_plugins: [a, b] }).length, 2, 'both are unknown without their modules')
  const made = together([], { service_plugins: [a, b] }, modules)
  t.deepEqual(made.issues.map(said), [
    '11: E0718 two plugins are called same (same: ./one.js; same: ./two.js) (10: same is named here) → take same out of service_plugins in netloom.yaml',
  ])
})

test('E0719: a plugin that is no use is told at boot what is wrong with it', (t) => {
  const broken = (parts: object): Plugin => ({ ...plugin('a', { extensions: [{ alias: 'a', summary: 'x' }] }), ...parts }) as Plugin
  const of = (parts: object): readonly string[] =>
    judge([broken(parts)]).map((i) => i.replace(/ → this is a fault of the plugin.*/, '').replace('10: E0719 plugin a: ', ''))
  t.deepEqual(of({ requires: 'ml2', attributes: {}, kinds: [] }), [
    '`attributes` is no list',
    '`kinds` is no function',
    '`requires` is no list',
  ])
  t.deepEqual(of({ type_drivers: [{ type: 'x' }], mechanism_drivers: [null] }), [
    '`mechanism_drivers[0]` has no function bind',
    '`type_drivers[0]` has no function candidates',
    '`type_drivers[0]` has no function maximumMtu',
  ])
  const bind = (): void => {}
  t.deepEqual(
    of({
      mechanism_drivers: [
        { bind, vlan_transparent: { can: true }, qinq: { can: false } },
        { bind, vlan_transparent: true },
      ],
    }),
    [
      '`mechanism_drivers[0].qinq` is neither { can: true } nor { can: false, why: … }',
      '`mechanism_drivers[1].vlan_transparent` is neither { can: true } nor { can: false, why: … }',
    ],
  )
  const kinds = (...all: readonly unknown[]) => ({ kinds: () => all.map((definition) => ({ alias: 'a', definition })) })
  t.deepEqual(
    of({
      kinds: () => {
        throw new Error('no luck')
      },
    }),
    ['`kinds` failed: no luck'],
  )
  t.deepEqual(of(kinds({ ...kind('x'), lower: undefined, after: undefined })), [
    'kind x has no function lower',
    'kind x: `after` is no list',
  ])
  t.regex(
    of(kinds(kind('x', { schema: { type: 'object', additionalProperties: false, properties: { y: { type: 'text' } } } as never })))[0] ??
      '',
    /^kind x: the schema is refused: /,
  )
  t.deepEqual(of(kinds(kind('x', { schema: { type: 'object' } }))), ['kind x: the schema must say `additionalProperties: false`'])
  t.deepEqual(of(kinds(kind('x', { after: ['nowhere'] }))), ['kind x comes after kind nowhere, which nobody brings'])
  t.deepEqual(of(kinds(kind('x', { after: ['y'] }), kind('y', { after: ['x'] }))), ['kinds come after each other in a circle: x → y → x'])
  t.deepEqual(of({ attributes: [{ alias: 'b', kind: 'network', after: ['port'], properties: { ext: text } }] }), [
    'an attribute of kind network names extension b, which is not among the plugin’s `extensions`',
    'attributes of kind network: the name `ext` is taken by the program',
    'kinds come after each other in a circle: network → port → network',
  ])
})
