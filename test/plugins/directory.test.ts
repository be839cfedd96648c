import test from 'ava'
import { absentAttribute } from '../../src/plugins/absent.ts'
import { defaultDirectory } from '../../src/plugins/choose.ts'
import { ON_BY_DEFAULT } from '../../src/plugins/index.ts'
import { servicePlugin as plugin } from '../support/plugin.ts'
import { directoryOf, kind, withAttributes, withKinds } from './make.ts'

const text = { type: 'string', description: 'x' } as const
const names = (directory: { readonly plugins: readonly { readonly plugin: { readonly name: string } }[] }): readonly string[] =>
  directory.plugins.map((p) => p.plugin.name)

test('without a word in the site file the core plugin and the defaults run', (t) => {
  const directory = defaultDirectory()
  t.deepEqual([...names(directory)].sort(), ['ml2', ...ON_BY_DEFAULT].sort())
  const kinds = directory.kinds.map((k) => k.kind)
  t.is(kinds[0], 'site')
  for (const kind of ['network', 'subnet', 'port', 'host']) t.true(kinds.includes(kind), kind)
  t.deepEqual(directory.owners.get('port'), { plugin: 'ml2', alias: 'port' })
  t.deepEqual(directory.owners.get('site'), { plugin: 'netloom', alias: 'site' })
  t.deepEqual(directory.added.get('port')?.get('tags'), { plugin: 'tag', alias: 'standard-attr-tag' })
})

test('a default that is turned off is not there, and it is known how to get what it brings', (t) => {
  const directory = directoryOf([], { disabled_plugins: [{ name: 'tag' }] })
  t.false(names(directory).includes('tag'))
  t.is(directory.added.get('port')?.get('tags'), undefined)
  t.is(directory.absent.get(absentAttribute('port', 'tags')), 'plugin tag brings it: take tag out of disabled_plugins in netloom.yaml')
  t.is(defaultDirectory().absent.size, 0)
})

test('a default that is turned off comes back when another plugin requires it, and says why it is there', (t) => {
  const directory = directoryOf([plugin('a', { requires: ['TAG'] })], { disabled_plugins: [{ name: 'tag' }] })
  t.deepEqual(names(directory).slice(-2), ['tag', 'a'], 'requirements come first')
  t.is(directory.plugins.find((p) => p.plugin.name === 'tag')?.because, 'a')
})

test('plugins, kinds, extensions and callbacks are frozen after boot', (t) => {
  const directory = defaultDirectory()
  for (const part of [directory, directory.plugins, directory.kinds, directory.extensions, directory.subscriptions])
    t.true(Object.isFrozen(part))
  t.throws(() => Object.assign(directory, { digest: 'mine' }), { instanceOf: TypeError })
})

test('the plugin of a service type, or an error that lists those there are', (t) => {
  const directory = directoryOf([plugin('q', { provides: ['BGP'] })])
  t.is(directory.service('BGP').plugin.name, 'q')
  t.is(directory.service('CORE').plugin.name, 'ml2')
  t.throws(() => directory.service('VPN'), { message: /^no plugin implements VPN; there are BGP, CORE, .*TAG/ })
})

test('plugins add to kinds of their own, of others and of the site file', (t) => {
  const directory = directoryOf([
    withKinds('a', kind('cable')),
    withAttributes('b', { kind: 'cable', properties: { colour: text } }, { kind: 'site', properties: { rack: text } }),
  ])
  t.deepEqual(directory.added.get('cable')?.get('colour'), { plugin: 'b', alias: 'b' })
  const properties = (name: string): object =>
    (directory.kinds.find((k) => k.kind === name)?.schema as { readonly properties?: object } | undefined)?.properties ?? {}
  t.true('colour' in properties('cable'))
  t.true('rack' in properties('site'))
})

test('the digest follows the plugins, what they bring, their files’ content and the program; not the order of the words', (t) => {
  const digests = [
    directoryOf([]),
    directoryOf([], { disabled_plugins: [{ name: 'tag' }] }),
    directoryOf([plugin('a', {})]),
    directoryOf([withKinds('a', kind('cable'))]),
    directoryOf([withKinds('a', kind('cable', { scope: 'global' }))]),
    directoryOf([withAttributes('a', { kind: 'port', properties: { colour: text } })]),
    directoryOf([], { service_plugins: [{ name: 'a' }] }, [{ name: 'a', plugin: plugin('a', {}), content: '1' }]),
    directoryOf([], { service_plugins: [{ name: 'a' }] }, [{ name: 'a', plugin: plugin('a', {}), content: '2' }]),
    defaultDirectory('another version'),
  ].map((d) => d.digest)
  t.is(new Set(digests).size, digests.length)
  t.is(directoryOf([]).digest, directoryOf([]).digest)
  t.is(directoryOf([]).digest, defaultDirectory('test').digest)
  t.true(defaultDirectory().registry.startsWith('ml2, '), defaultDirectory().registry)
})

test('subscriptions are called by priority, then plugin, then name', (t) => {
  const after = (name: string, priority?: number) => ({
    name,
    stage: 'after' as const,
    kind: '*',
    verbs: ['create' as const],
    act: async () => {},
    ...(priority === undefined ? {} : { priority }),
  })
  const directory = directoryOf([
    plugin('b', { subscriptions: [after('z'), after('first', 1)] }),
    plugin('a', { subscriptions: [after('y'), after('x')] }),
  ])
  t.deepEqual(
    directory.subscriptions.filter((s) => s.plugin === 'a' || s.plugin === 'b').map((s) => `${s.plugin} ${s.name}`),
    ['b first', 'a x', 'a y', 'b z'],
  )
})
