import { qosPolicySchema } from '../../../schemas/qos_policy.ts'
import type { KindDefinition } from '../kind.ts'
import { checkQosPolicy, normaliseQosPolicy, qosPolicyReferences } from './check.ts'
import { lowerQosPolicy } from './lower.ts'
import { resolveQosPolicy } from './resolve.ts'
import type { QosPolicySpec } from './spec.ts'

export const qosPolicy: KindDefinition<QosPolicySpec> = {
  kind: 'qos_policy',
  collection: 'qos_policies',
  scope: 'project',
  summary: 'What ports may send and receive, and how their packets are marked.',
  schema: qosPolicySchema,
  after: [],
  sharing: { by: 'grant', everybody: { shared: 'shared' } },
  mutability: { rules: 'in place', shared: 'in place', is_default: 'in place', description: 'in place' },
  unordered: ['rules'],
  normalise: normaliseQosPolicy,
  references: qosPolicyReferences,
  claims: () => false,
  check: checkQosPolicy,
  resolve: resolveQosPolicy,
  lower: lowerQosPolicy,
}
