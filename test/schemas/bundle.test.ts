import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import test from 'ava'
import { bundleFiles, fileSchema, siteFileSchema } from '../../schemas/bundle.ts'
import { kinds } from '../support/kinds.ts'

const strict = () =>
  new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false, strictTuples: false, allowUnionTypes: true })

test('the files that editors read are what the kinds say now (else: npm run build && npm run schemas)', (t) => {
  for (const [name, text] of bundleFiles(kinds)) {
    t.is(readFileSync(new URL(`../../../schemas/${name}`, import.meta.url), 'utf8'), text, name)
  }
})

test('every kind has a strict schema with a description for each attribute, and examples that fit', (t) => {
  for (const kind of kinds) {
    const ajv = strict()
    const validate = ajv.compile(kind.schema as object)
    t.false(validate({ not_an_attribute: 1 }), kind.kind)
    const { properties } = kind.schema as {
      properties: Record<string, { description?: string; examples?: unknown[]; properties?: object }>
    }
    for (const [name, attribute] of Object.entries(properties)) {
      t.true(typeof attribute.description === 'string' || attribute.properties !== undefined, `${kind.kind}.${name}`)
      const one = strict().compile(attribute)
      for (const example of attribute.examples ?? []) t.true(one(example), `${kind.kind}.${name}: ${JSON.stringify(example)}`)
    }
  }
})

test('the bundle takes a whole file, and refuses what no kind knows', (t) => {
  const validate = strict().compile(fileSchema(kinds) as object)
  const file = {
    project: 'shop',
    networks: { blue: {}, red: null },
    subnets: { 'blue-v4': { network: 'blue', cidr: '10.10.0.0/24' } },
    ports: { 'web-1': { network: 'blue', host: 'h1', fixed_ips: [{ ip_address: '10.10.0.11' }], plug: { type: 'veth', netns: 'web-1' } } },
    hosts: { h1: { tunnel_ip: '192.0.2.1', bridge_mappings: { physnet1: 'br-ex' } } },
  }
  t.true(validate(file), JSON.stringify(validate.errors))
  for (const broken of [
    { netwroks: {} },
    { networks: { 'a/b': {} } },
    { networks: { blue: { mtuu: 1 } } },
    { ports: { p: {} } },
    { ports: { p: { network: 'blue', plug: { type: 'tap' } } } },
  ]) {
    t.false(validate(broken), JSON.stringify(broken))
  }
})

test('the site file takes its attributes beside collections', (t) => {
  const validate = strict().compile(siteFileSchema(kinds) as object)
  t.true(validate({ installation: 'x', path_mtu: 1400, hosts: { h1: {} }, drift: { mode: 'report' } }), JSON.stringify(validate.errors))
  t.false(validate({ path_mtuu: 1400 }))
})
