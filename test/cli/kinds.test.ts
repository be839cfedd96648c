import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { featureEntries, type KindEntry, kindEntries, type PluginEntry, pluginEntries } from '../../src/plugins/catalogue.ts'
import { defaultDirectory } from '../../src/plugins/choose.ts'
import { referencePages } from '../../src/server/render/reference.ts'
import { thirdParty } from '../plugins/third-party.ts'
import { netloom } from './netloom.ts'

test('kinds: each with collection, plugin, alias and a sentence; features besides', async (t) => {
  const { repo } = await thirdParty(t)
  const { code, out } = await netloom('kinds', '--dir', repo)
  t.is(code, 0)
  t.regex(out, /^KIND +COLLECTION +PLUGIN +ALIAS +WHAT IT IS$/m)
  t.regex(out, /^port +ports +ml2 +port +A connection/m)
  t.regex(out, /^site +netloom\.yaml +netloom +site /m)
  t.regex(out, /^static_neighbour +static_neighbours +neighbours +static-neighbour /m)
  t.regex(out, /^net-mtu-writable +ml2 /m)
  t.regex(out, /^fabric +fabric +network_type fabric/m)
  const json = JSON.parse((await netloom('kinds', '--dir', repo, '--json')).out) as {
    format_version: string
    kinds: KindEntry[]
    features: { alias: string }[]
  }
  t.is(json.format_version, '1.0')
  t.true(json.kinds.some((k) => k.kind === 'static_neighbour'))
  t.false(
    json.features.some((f) => f.alias === 'port' || f.alias === 'standard-attr-tag' || f.alias === 'standard-attr-revisions'),
    'what brings something is no feature',
  )
})

test('kinds KIND: every attribute with type, default, what a change does, who brings it; also by the collection’s name', async (t) => {
  const { repo } = await thirdParty(t)
  const { out } = await netloom('kinds', 'ports', '--dir', repo)
  t.regex(out, /^port {2}under `ports:`, belongs to a project; plugin ml2, alias port$/m)
  t.regex(out, /^ {2}network {2}text; required; a change re-creates the resource$/m)
  t.regex(out, /^ {2}admin_state_up {2}true or false; default true; changes in place$/m)
  t.regex(out, /^ {2}protected {2}true or false; changes in place; from neighbours \(port-protection\)$/m)
  t.regex(out, /^ {6}ip_address {2}text {2}An address of it\.$/m)
  const { kind } = JSON.parse((await netloom('kinds', 'port', '--dir', repo, '--json')).out) as { kind: KindEntry }
  const attribute = kind.attributes.find((a) => a.name === 'mac_address')
  t.is(attribute?.change, 're-creates the resource')
  t.is(kind.attributes.find((a) => a.name === 'tags')?.plugin, 'tag')
})

test('kinds: an unknown kind names a near one; an attribute goes with its plugin', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'netloom-kinds-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const unknown = await netloom('kinds', 'prot', '--dir', dir)
  t.is(unknown.code, 1)
  t.regex(unknown.err, /there is no kind prot\n.*did you mean port\?/)
  t.regex((await netloom('kinds', 'port', '--dir', dir)).out, /^ {2}tags /m)
  await writeFile(join(dir, 'netloom.yaml'), 'disabled_plugins: [tag]\n')
  t.notRegex((await netloom('kinds', 'port', '--dir', dir)).out, /^ {2}tags /m)
})

test('plugins: what runs, why, what each brings, and what is off', async (t) => {
  const { repo, edit } = await thirdParty(t)
  await edit('repo/netloom.yaml', 'installation:', 'disabled_plugins: [tag]\ninstallation:')
  const { code, out } = await netloom('plugins', repo)
  t.is(code, 0)
  t.regex(out, /^ml2 {2}core plugin, built-in$/m)
  t.regex(out, /^neighbours {2}service plugin, \.\.\/neighbours\.mjs$/m)
  t.regex(out, /^ {2}kinds: static_neighbour$/m)
  t.regex(out, /^ {2}attributes: port\.protected$/m)
  t.regex(out, /^ {2}type drivers: fabric$/m)
  t.regex(out, /^ {2}subscriptions: keep-protected-ports, note-neighbours$/m)
  t.regex(out, /^Built in, and off:\n {2}tag {2}/m)
  const json = JSON.parse((await netloom('plugins', repo, '--json')).out) as {
    format_version: string
    plugins: PluginEntry[]
    off: { name: string }[]
  }
  t.is(json.format_version, '1.0')
  t.deepEqual(
    json.off.map((p) => p.name),
    ['tag'],
  )
  t.deepEqual(json.plugins.find((p) => p.name === 'fabric')?.mechanism_drivers, ['bare_metal'])
})

test('overrides: what is off, whose it was and who cannot keep it, in kinds and in plugins; what it covers is refused with the reason', async (t) => {
  const { repo, edit } = await thirdParty(t)
  await edit(
    'fabric.mjs',
    "requires: ['CORE'],",
    "requires: ['CORE'],\n  cannot: ['net-mtu-writable', 'quota_details', 'rbac-policies', 'rbac-security-groups', 'rbac-address-group'].map((alias) => ({ alias, why: 'racks are fixed' })),",
  )
  const refused = await netloom('kinds', '--dir', repo)
  t.is(refused.code, 1)
  t.regex(
    refused.out,
    /E0727.*plugin fabric cannot keep net-mtu-writable, which plugin ml2 promises: racks are fixed\n.*netloom\.yaml:2:38/,
  )
  t.regex(
    refused.out,
    /write overrides: \[net-mtu-writable, quota_details, rbac-policies, rbac-security-groups, rbac-address-group\] in netloom\.yaml/,
  )
  await edit(
    'repo/netloom.yaml',
    'installation:',
    'overrides: [net-mtu-writable, quota_details, rbac-policies, rbac-security-groups, rbac-address-group, net-mtu]\ninstallation:',
  )
  const { out } = await netloom('kinds', '--dir', repo)
  t.regex(out, /^OFF +PLUGIN +WHY$/m)
  t.regex(out, /^net-mtu-writable +ml2 +fabric cannot keep it: racks are fixed$/m)
  t.notRegex(out, /^rbac_policy /m)
  const off = [{ plugin: 'fabric', why: 'racks are fixed' }]
  const json = JSON.parse((await netloom('kinds', '--dir', repo, '--json')).out) as {
    off: { alias: string }[]
    features: { alias: string }[]
  }
  t.like(
    json.off.find((o) => o.alias === 'net-mtu-writable'),
    { alias: 'net-mtu-writable', plugin: 'ml2', by: off, builds_on: [] },
  )
  t.false(json.features.some((f) => f.alias === 'net-mtu-writable' || f.alias === 'quota_details'))
  const shown = (await netloom('plugins', repo)).out
  t.regex(shown, /^ {2}off: .*net-mtu-writable \(fabric cannot keep it: racks are fixed\)/m)
  t.regex(shown, /^ {2}cannot keep: net-mtu-writable \(racks are fixed\)/m)
  const plugins = (JSON.parse((await netloom('plugins', repo, '--json')).out) as { plugins: PluginEntry[] }).plugins
  t.deepEqual(
    plugins.find((p) => p.name === 'ml2')?.off.map((o) => o.alias),
    ['rbac-policies', 'quota_details', 'net-mtu-writable', 'rbac-security-groups', 'rbac-address-group'],
  )
  t.is(plugins.find((p) => p.name === 'fabric')?.cannot[0]?.why, 'racks are fixed')
  // What is counted stands in the state file.
  t.is((await netloom('plan', repo)).code, 0)
  await edit('repo/dmz.yaml', 'segmentation_id: 120 }', 'segmentation_id: 120, mtu: 1400 }')
  await edit('repo/dmz.yaml', 'subnets:', 'rbac_policies: {}\nsubnets:')
  const said = (await netloom('validate', repo)).out
  t.regex(said, /W0728.*overrides: every plugin here keeps net-mtu, so it stays on/)
  t.regex(said, /E0320.*unknown attribute `mtu`/)
  t.regex(said, /it belongs to net-mtu-writable, which is off by overrides in netloom\.yaml: plugin fabric cannot keep it/)
  t.regex(said, /unknown top-level key `rbac_policies`/)
  t.regex((await netloom('quota', '--dir', repo)).err, /quota_details is off by overrides in netloom\.yaml\n.*plugin fabric cannot keep it/)
})

test('kinds and plugins with plugins that do not fit together say so, and exit 1', async (t) => {
  const { repo, edit } = await thirdParty(t)
  await edit('repo/netloom.yaml', '../fabric.mjs]', '../fabric.mjs, nowhere]')
  for (const args of [
    ['kinds', '--dir', repo],
    ['plugins', repo],
  ]) {
    const { code, out } = await netloom(...args)
    t.is(code, 1)
    t.regex(out, /E0702.*there is no plugin nowhere/)
  }
})

test('the reference pages are what the kinds say now (else: npm run build && npm run reference)', (t) => {
  const directory = defaultDirectory()
  const folder = new URL('../../../docs/reference/', import.meta.url)
  const pages = referencePages(kindEntries(directory), featureEntries(directory), pluginEntries(directory))
  t.deepEqual(readdirSync(folder).sort(), [...pages.keys()].sort())
  for (const [name, text] of pages) t.is(readFileSync(new URL(name, folder), 'utf8'), text, name)
})
