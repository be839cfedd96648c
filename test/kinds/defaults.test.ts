import test from 'ava'
import { flatSpec } from '../../src/kinds/extension.ts'
import { isRecord, sameJson } from '../../src/lib/json.ts'
import type { Json, JsonObject } from '../../src/model/brand.ts'
import { kindEntries } from '../../src/plugins/catalogue.ts'
import { defaultDirectory } from '../../src/plugins/choose.ts'
import { build } from '../support/world.ts'

/** Of each kind one resource with nothing but what is required. */
const LEAST = `
site: {}
networks: { n: {} }
subnets: { s: { network: n, cidr: 10.0.0.0/24 } }
ports: { p: { network: n }, q: { network: n } }
hosts: { h: {} }
network_segment_ranges: { r: { network_type: vxlan, minimum: 1, maximum: 2 } }
address_scopes: { a: { ip_version: 4 } }
subnetpools: { p: { prefixes: [10.64.0.0/16] } }
rbac_policies: { r: { object_type: network, object: n, action: access_as_shared, target_project: '*' } }
security_groups: { g: {} }
address_groups: { a: {} }
trunks: { t: { port: p } }
routers: { r: {} }
logs: { l: {} }
qos_policies: { p: {} }
tap_services: { t: { port: p } }
tap_flows: { f: { tap_service: t, source_port: q, direction: IN } }
tap_mirrors: { m: { port: p, mirror_type: gre, remote_ip: 198.51.100.9, directions: { IN: 1 } } }
quotas: { default: { networks: 5 } }
`

/** Attributes that a resolved resource has under another name. */
const ELSEWHERE: Readonly<Record<string, (spec: JsonObject) => Json | undefined>> = {
  'port.vnic_type': (spec) => (spec['binding'] as JsonObject)['vnic_type'],
}

function at(spec: JsonObject, path: string): Json | undefined {
  return path.split('.').reduce<Json | undefined>((value, name) => (isRecord(value) ? (value[name] as Json) : undefined), spec)
}

const entries = kindEntries(defaultDirectory())
const resolved = new Map([...build(LEAST).resources.values()].map((r) => [r.kind, flatSpec(r.spec)]))

test('what a schema declares as default is what a resource gets that does not say it', (t) => {
  let seen = 0
  for (const { kind, attributes } of entries) {
    const declared = attributes.flatMap((a) => [
      ...(a.default === undefined ? [] : [{ name: a.name, value: a.default }]),
      // Members of a map that is always there, such as the site's `guards`.
      ...a.members.flatMap((m) => (m.default === undefined ? [] : [{ name: `${a.name}.${m.name}`, value: m.default }])),
    ])
    if (declared.length === 0) continue
    const spec = resolved.get(kind)
    if (spec === undefined) {
      t.fail(`${kind} declares defaults: add its least resource to this test`)
      continue
    }
    for (const { name, value } of declared) {
      const got = ELSEWHERE[`${kind}.${name}`]?.(spec) ?? at(spec, name)
      t.true(sameJson(got, value), `${kind}.${name}: declared ${JSON.stringify(value)}, resolved ${JSON.stringify(got)}`)
      seen++
    }
  }
  t.true(seen > 30, `${seen} defaults seen`)
})

test('what is filled in without a declared default says how it is found', (t) => {
  const silent = entries.flatMap(({ kind, attributes }) =>
    attributes
      .filter(
        (a) =>
          !a.required &&
          a.default === undefined &&
          a.members.every((m) => m.default === undefined) &&
          resolved.get(kind)?.[a.name] !== undefined,
      )
      .filter((a) => !/left out:|follows from/i.test(a.summary))
      .map((a) => `${kind}.${a.name}: ${a.summary}`),
  )
  t.deepEqual(silent, [])
})
