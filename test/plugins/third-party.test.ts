import { fileURLToPath } from 'node:url'
import test from 'ava'
import ts from 'typescript'
import { netloom } from '../cli/netloom.ts'
import { thirdParty } from './third-party.ts'

interface Told {
  readonly issues: readonly {
    readonly code: string
    readonly message: string
    readonly file?: string
    readonly line?: number
  }[]
}

/** Code, line and message of everything `validate` says. */
async function validate(repo: string): Promise<readonly string[]> {
  const { out } = await netloom('validate', repo, '--json')
  return (JSON.parse(out) as Told).issues.map((i) => `${i.code} ${i.file}:${i.line} ${i.message}`)
}

test('a third party’s kind, attribute and drivers are planned like ours', async (t) => {
  const { repo } = await thirdParty(t)
  t.deepEqual(await validate(repo), [])
  const { out } = await netloom('plan', repo, '--json')
  const { changes } = JSON.parse(out) as { changes: { address: string; hosts: string[]; after: Record<string, unknown> }[] }
  const after = (address: string) => changes.find((c) => c.address === address)
  t.deepEqual(after('static_neighbour/default/firewall')?.after, {
    id: after('static_neighbour/default/firewall')?.after['id'],
    subnet: 'dmz-v4',
    ip_address: '10.20.0.254',
    mac_address: '02:00:00:00:00:fe',
  })
  t.deepEqual(after('static_neighbour/default/firewall')?.hosts, ['h1'], 'only the host with a port there')
  t.deepEqual(after('port/default/web-1')?.after['ext'], { 'port-protection': { protected: true } })
  t.deepEqual(after('port/default/machine-1')?.after['binding'], {
    vnic_type: 'baremetal',
    vif_type: 'other',
    mechanism_driver: 'bare_metal',
  })
  const racks = after('network/default/racks')?.after ?? {}
  t.is(racks['network_type'], 'fabric')
  t.is(racks['physical_network'], 'fabric0')
  t.true(Number(racks['segmentation_id']) >= 3000 && Number(racks['segmentation_id']) <= 3099)
})

test('a third party’s rules speak with place, snippet and fix, beside Netloom’s own', async (t) => {
  const { repo, edit } = await thirdParty(t)
  await edit(
    'repo/dmz.yaml',
    "  firewall: { subnet: dmz-v4, ip_address: 10.20.0.254, mac_address: '02:00:00:00:00:fe' }",
    `  a: { subnet: dmz-v4, ip_address: 10.20.0, mac_address: '02:00:00:00:00:fe' }
  b: { subnet: dmz-v4, ip_address: 10.20.0.254, mac_address: '03:00:00:00:00:fe' }
  c: { subnet: blue-v4, ip_address: 10.21.0.254, mac_address: '02:00:00:00:00:01' }
  d: { subnet: dmz-v4, ip_address: 10.99.0.254, mac_address: '02:00:00:00:00:02' }
  e: { subnet: dmz-v5, ip_address: 10.20.0.254, mac_address: '02:00:00:00:00:03' }
  f: { subnet: dmz-v4, ip_adress: 10.20.0.254, mac_address: '02:00:00:00:00:04' }`,
  )
  t.deepEqual(await validate(repo), [
    'E-neighbours-1 dmz.yaml:14 10.20.0 is no address',
    'E-neighbours-2 dmz.yaml:15 03:00:00:00:00:fe is no MAC of a single box',
    'E0321 dmz.yaml:19 static_neighbour f: `ip_address` is missing',
    'E0320 dmz.yaml:19 static_neighbour f: unknown attribute `ip_adress`',
  ])
  await edit('repo/dmz.yaml', '  a: { subnet: dmz-v4, ip_address: 10.20.0,', '  a: { subnet: dmz-v4, ip_address: 10.20.0.1,')
  await edit('repo/dmz.yaml', "mac_address: '03:", "mac_address: '02:")
  await edit('repo/dmz.yaml', 'ip_adress', 'ip_address')
  await edit('repo/dmz.yaml', 'subnets:', 'subnets:\n  blue-v4: { network: blue, cidr: 10.21.0.0/24 }')
  await edit('repo/dmz.yaml', 'networks:', 'networks:\n  blue: {}')
  const said = await validate(repo)
  t.deepEqual(said.map((s) => s.replace(/^(\S+) dmz\.yaml:\d+/, '$1')).sort(), [
    'E-neighbours-3 10.99.0.254 is not in 10.20.0.0/24',
    'E-neighbours-4 network blue is vxlan: nothing outside is on it',
    'E-neighbours-5 ip_address 10.20.0.254 of static_neighbour f is in use by static_neighbour b',
    'E-neighbours-5 mac_address 02:00:00:00:00:fe of static_neighbour b is in use by static_neighbour a',
    'E0300 static_neighbour e uses subnet dmz-v5, which does not exist',
  ])
})

test('what a third party’s kind claims no port gets, whatever it would have chosen', async (t) => {
  const { repo, edit } = await thirdParty(t)
  // Two addresses, and one is the neighbour's.
  await edit('repo/dmz.yaml', 'cidr: 10.20.0.0/24', 'cidr: 10.20.0.0/24, allocation_pools: [{ start: 10.20.0.253, end: 10.20.0.254 }]')
  t.deepEqual(await validate(repo), [])
  const { out } = await netloom('plan', repo)
  t.regex(out, /fixed_ips\[0\]\.ip_address +10\.20\.0\.253 \(auto\)/)
})

test('drivers of a third party say why they cannot bind, beside ours', async (t) => {
  const { repo, edit } = await thirdParty(t)
  await edit('repo/dmz.yaml', ', fabric0: br-fabric', '')
  await edit('repo/dmz.yaml', 'host: h1, protected: true', 'host: h1, vnic_type: baremetal')
  t.deepEqual(await validate(repo), [
    'E0233 dmz.yaml:17 port web-1 cannot be bound to host h1: openvswitch: vnic_type baremetal is not one of normal; bare_metal: only fabric networks reach machines, and this one is vlan',
    'E0233 dmz.yaml:18 port machine-1 cannot be bound to host h2: openvswitch: vnic_type baremetal is not one of normal; bare_metal: the host is not on fabric0',
  ])
  await edit('repo/dmz.yaml', '{ network_type: fabric }', '{ network_type: fabric, physical_network: fabric0, segmentation_id: 120 }')
  t.true(
    (await validate(repo)).some(
      (s) => s.startsWith('E0204') && s.endsWith('segmentation_id 120 is not within 3000–3099, the numbers of fabric'),
    ),
  )
})

test('what drivers say of VLAN tags: ours vetoes, and where a driver that can is alone, networks may ask for it', async (t) => {
  const { repo, edit } = await thirdParty(t)
  await edit('repo/dmz.yaml', '{ network_type: fabric }', '{ network_type: fabric, vlan_transparent: true }')
  t.deepEqual(await validate(repo), [
    'E0218 dmz.yaml:7 vlan_transparent: no network here hands on the VLAN tags of its guests: openvswitch: a guest’s tagged frames are dropped at its port',
  ])
  await edit('repo/netloom.yaml', '[openvswitch, bare_metal]', '[bare_metal]')
  await edit('repo/dmz.yaml', '  web-1: { network: dmz, host: h1, protected: true }\n', '')
  t.deepEqual(await validate(repo), [])
  await edit('repo/dmz.yaml', 'vlan_transparent: true', 'qinq: true')
  t.deepEqual(await validate(repo), [
    'E0218 dmz.yaml:7 qinq: no network here hands on the VLAN tags of its guests within a tag of its own: bare_metal: the fabric’s switches take one tag',
  ])
  const { out } = await netloom('plugins', repo)
  t.regex(out, /drivers say: bare_metal: vlan_transparent, bare_metal: no qinq \(the fabric’s switches take one tag\)/)
  t.regex(out, /drivers say: openvswitch: no vlan_transparent \(a guest’s tagged frames are dropped at its port\), openvswitch: no qinq/)
})

test('turned off, its collection, its attribute and its drivers are unknown', async (t) => {
  const { repo, edit } = await thirdParty(t)
  await edit('repo/netloom.yaml', '[../neighbours.mjs, ../fabric.mjs]', '[]')
  t.deepEqual(
    (await validate(repo)).map((s) => s.slice(0, 5)),
    ['E0712'],
  )
  await edit('repo/netloom.yaml', '[openvswitch, bare_metal]', '[openvswitch]')
  const said = await validate(repo)
  for (const expected of [/unknown top-level key `static_neighbours`/, /unknown attribute `protected`/, /"fabric" is not one of/])
    t.true(
      said.some((s) => expected.test(s)),
      String(expected),
    )
})

test('its veto refuses the deletion of a protected port, in the plan and when applied; taking the protection away first is the way', async (t) => {
  const { repo, edit } = await thirdParty(t)
  t.is((await netloom('apply', '--dir', repo)).code, 4)
  const line = '  web-1: { network: dmz, host: h1, protected: true }\n'
  await edit('repo/dmz.yaml', line, '')
  for (const args of [
    ['plan', repo],
    ['apply', '--dir', repo],
  ]) {
    const { code, out } = await netloom(...args)
    t.is(code, 1)
    t.regex(out, /E-neighbours-6.*plugin neighbours refuses the delete of port web-1 .*: port web-1 is protected/)
    t.regex(out, /write protected: false and apply that first/)
  }
  await edit('repo/dmz.yaml', 'ports:\n', `ports:\n${line.replace('true', 'false')}`)
  t.is((await netloom('apply', '--dir', repo)).code, 4)
  await edit('repo/dmz.yaml', line.replace('true', 'false'), '')
  t.is((await netloom('apply', '--dir', repo)).code, 4)
})

test('a plugin that fails is one resource’s mistake with the plugin’s name, and its neighbours are judged', async (t) => {
  const { repo, edit } = await thirdParty(t)
  await edit('neighbours.mjs', 'check({ spec }, view) {', 'check({ spec }, view) { null.x')
  await edit('repo/dmz.yaml', 'vnic_type: baremetal', 'vnic_type: direct')
  const said = await validate(repo)
  t.is(said.length, 2, said.join('\n'))
  t.regex(said[0] ?? '', /^E0726 dmz\.yaml:14 plugin neighbours: kind static_neighbour: check failed: Cannot read properties of null/)
  t.regex(said[1] ?? '', /^E0233 /)
})

test('the samples fit the types that authors get from netloom/plugin', (t) => {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      allowJs: true,
      checkJs: true,
      noEmit: true,
      strict: true,
      noImplicitAny: false,
      module: 'nodenext',
      target: 'es2023',
      types: ['node'],
      skipLibCheck: true,
      allowImportingTsExtensions: true,
    },
    root,
  )
  // The package names itself by its `exports`, and so do files below it.
  const program = ts.createProgram(
    ['neighbours.mjs', 'fabric.mjs'].map((f) => `${root}/samples/plugins/${f}`),
    options,
  )
  const found = ts
    .getPreEmitDiagnostics(program)
    .map((d) => `${d.file?.fileName.replace(root, '')} ${ts.flattenDiagnosticMessageText(d.messageText, '\n')}`)
  t.deepEqual(found, [])
  t.true(
    program.getSourceFiles().some((f) => f.fileName.endsWith('src/plugins/api.d.ts')),
    'the types were found',
  )
})
