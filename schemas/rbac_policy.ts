import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const rbacPolicySchema = {
  type: 'object',
  description: 'Lets another project use a resource of this one.',
  additionalProperties: false,
  required: ['object_type', 'object', 'action', 'target_project'],
  properties: {
    object_type: { type: 'string', enum: ['network'], description: 'Kind of what is shared.', examples: ['network'] },
    object: { type: 'string', minLength: 1, maxLength: 511, description: 'What is shared: a resource of the policy’s own project.' },
    action: {
      type: 'string',
      enum: ['access_as_shared', 'access_as_external'],
      description: 'access_as_external is for networks: gateways and floating IPs, no ports.',
    },
    target_project: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      pattern: '^[^/]+$',
      description: 'The project that may use it; "*" (in quotes) is every project.',
      examples: ['web', '*'],
    },
    id: {
      type: 'string',
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      description: 'UUID, lower case. Left out: derived from the identity.',
    },
  },
} as const
void (rbacPolicySchema satisfies JSONSchema)

/** What an operator writes for an RBAC policy. */
export type RbacPolicyDeclared = FromSchema<typeof rbacPolicySchema>
