import { securityGroupSchema } from '../../../schemas/security-group.ts'
import type { KindDefinition } from '../kind.ts'
import { checkSecurityGroup, impliedGroups, normaliseSecurityGroup, securityGroupReferences } from './check.ts'
import { lowerSecurityGroup, remoteScopes } from './lower.ts'
import { resolveSecurityGroup } from './resolve.ts'
import type { SecurityGroupSpec } from './spec.ts'

export const securityGroup: KindDefinition<SecurityGroupSpec> = {
  kind: 'security_group',
  collection: 'security_groups',
  scope: 'project',
  summary: 'What ports may receive and send.',
  schema: securityGroupSchema,
  after: ['site'],
  // As in Neutron, by policies only.
  sharing: { by: 'grant', everybody: { shared: null } },
  mutability: {
    // Neutron refuses it likewise: connections of running guests would be cut, or go unwatched.
    stateful: { immutable_while_used_by: 'port' },
    default_rules: 'in place',
    rules: 'in place',
    description: 'in place',
  },
  unordered: ['rules'],
  // All that a port has to know of its groups: a rule more about the same remotes concerns none of a thousand ports.
  parts: (group) => ({ stateful: group.spec.stateful, remotes: remoteScopes(group) }),
  normalise: normaliseSecurityGroup,
  references: securityGroupReferences,
  implies: impliedGroups,
  claims: () => false,
  check: checkSecurityGroup,
  resolve: resolveSecurityGroup,
  lower: lowerSecurityGroup,
}
