import test from 'ava'
import { type AttributeExtension, extendKind } from '../../src/kinds/extension.ts'
import { kinds } from '../support/kinds.ts'

const port = kinds.find((k) => k.kind === 'port')

test('who claims nothing is not waited for: what the kind claims counts, and what an extension may claim', (t) => {
  if (port === undefined) return t.fail('no kind port')
  const claims = (spec: object, ...extensions: readonly AttributeExtension[]): boolean | undefined =>
    extendKind(port, extensions).claims?.(spec as never)
  t.false(claims({ network: 'n' }))
  t.false(claims({ network: 'n', qos_policy: 'gold' }))
  t.true(claims({ network: 'n', mac_address: 'fa:16:3e:00:00:01' }))
  const colour: AttributeExtension = {
    kind: 'port',
    alias: 'colour',
    properties: { colour: { type: 'string', description: 'Of its cable.' } },
    resolve: (_, values) => ({ spec: values, findings: [] }),
  }
  t.true(claims({ network: 'n' }, colour), 'it may, where it does not say')
  const red: AttributeExtension = { ...colour, claims: ({ colour: c }) => c === 'red' }
  t.false(claims({ network: 'n', colour: 'blue' }, red))
  t.true(claims({ network: 'n', colour: 'red' }, red))
  t.true(claims({ network: 'n', mac_address: 'fa:16:3e:00:00:01', colour: 'blue' }, red), 'the kind does')
})
