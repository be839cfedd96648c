import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

/** What `netloom plan --json` prints. `format_version` moves its first number only when a reader of the old form would misread the new one. */
export const planOutputSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Netloom plan',
  type: 'object',
  additionalProperties: false,
  required: [
    'format_version',
    'type',
    'plan',
    'base_revision',
    'no_op',
    'applyable',
    'blocked_by',
    'changes',
    'rewritten',
    'hosts',
    'notes',
    'summary',
  ],
  properties: {
    format_version: { const: '1.0' },
    type: { const: 'plan' },
    plan: { type: 'string', pattern: '^p-[0-9a-f]{8}$', description: 'What netloom apply takes.' },
    base_revision: { type: 'integer', minimum: 0, description: 'The revision the plan was made for; 0 = none yet.' },
    git: {
      type: 'object',
      additionalProperties: false,
      required: ['commit', 'author', 'subject', 'dirty'],
      properties: {
        commit: { type: 'string' },
        author: { type: 'string' },
        subject: { type: 'string' },
        dirty: { type: 'boolean', description: 'The directory holds changes that are not committed.' },
      },
    },
    no_op: { type: 'boolean', description: 'Nothing would change.' },
    applyable: { type: 'boolean', description: 'False: there are errors, or a guard that nothing overrides.' },
    blocked_by: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['guard', 'message', 'count'],
        properties: {
          guard: { enum: ['empty-tree', 'installation', 'vanished-file', 'delete-ratio', 'delete-count', 'renumber'] },
          message: { type: 'string' },
          cause: { type: 'string' },
          count: { type: 'integer', minimum: 0, description: 'What an override must name.' },
          override: { type: 'string', description: 'The option for netloom apply. Absent: cannot be overridden.' },
        },
      },
    },
    changes: {
      type: 'array',
      description: 'Deletions first, dependents before what they depend on; then everything else, the other way round.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['address', 'kind', 'project', 'name', 'actions', 'reason', 'before', 'after', 'attributes', 'unchanged', 'hosts'],
        properties: {
          address: { type: 'string', description: 'kind/project/name, or kind/name.' },
          kind: { type: 'string' },
          project: { type: 'string', description: 'Empty for kinds of the whole installation.' },
          name: { type: 'string' },
          actions: {
            type: 'array',
            items: { enum: ['create', 'update', 'delete'] },
            minItems: 1,
            description: 'A re-creation is ["delete", "create"]: looking for "delete" finds every deletion.',
          },
          reason: { type: 'string' },
          source: {
            type: 'object',
            additionalProperties: false,
            required: ['file', 'line', 'column'],
            properties: {
              file: { type: 'string', description: 'Relative to the repo, with /.' },
              line: { type: 'integer', minimum: 1 },
              column: { type: 'integer', minimum: 1 },
            },
          },
          before: { type: ['object', 'null'], description: 'The whole resource before; null for a creation.' },
          after: { type: ['object', 'null'], description: 'The whole resource after; null for a deletion.' },
          attributes: {
            type: 'array',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['path', 'allocated', 'forces'],
              properties: {
                path: { type: 'string', examples: ['fixed_ips[0].ip_address'] },
                before: { description: 'Absent: there was none.' },
                after: { description: 'Absent: there is none.' },
                allocated: { type: 'boolean', description: 'Netloom chose the value.' },
                forces: { type: 'boolean', description: 'Because of it the resource is deleted and created again.' },
              },
            },
          },
          unchanged: { type: 'integer', minimum: 0, description: 'Attributes that stay as they are.' },
          hosts: { type: 'array', items: { type: 'string' }, description: 'Hosts that have something to do because of it.' },
        },
      },
    },
    rewritten: { type: 'integer', minimum: 0, description: 'Declarations that change, those of the same effect included.' },
    hosts: { type: 'array', items: { type: 'string' } },
    notes: {
      type: 'array',
      items: {
        type: 'object',
        required: ['code', 'severity', 'message'],
        properties: {
          code: { type: 'string' },
          severity: { enum: ['error', 'warning', 'note'] },
          message: { type: 'string' },
          file: { type: 'string' },
          line: { type: 'integer', minimum: 1 },
          column: { type: 'integer', minimum: 1 },
        },
      },
    },
    flows: {
      type: 'array',
      description: 'With --flows: what the plan does to the switch of each host.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['host', 'basis', 'items', 'waits', 'verdicts'],
        properties: {
          host: { type: 'string' },
          basis: {
            enum: ['reported', 'predicted'],
            description: 'Predicted: no agent has told of the switch yet, and numbers that it gives may come out differently.',
          },
          seen: { type: 'string', description: 'When the agent last spoke, ISO 8601.' },
          revision: { type: 'integer', minimum: 0, description: 'Where the agent was then.' },
          items: {
            type: 'array',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['action', 'item', 'owners'],
              properties: {
                action: { enum: ['create', 'update', 'delete'] },
                item: { type: 'string', examples: ['row Port nl-vxlan', 'flow br-int classify 100 in_port=3'] },
                owners: { type: 'array', items: { type: 'string' }, description: 'Resources it exists for.' },
                before: { type: 'string', description: 'A flow as ovs-ofctl writes it; a row or link as one line column=value each.' },
                after: { type: 'string' },
              },
            },
          },
          waits: {
            type: 'array',
            description:
              'Ports that nobody has plugged yet, and the flows that come once somebody does; <ofport> is what the switch will give.',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['port', 'cause', 'items'],
              properties: {
                port: { type: 'string' },
                cause: { type: 'string' },
                items: {
                  type: 'array',
                  items: {
                    type: 'object',
                    additionalProperties: false,
                    required: ['item', 'text'],
                    properties: { item: { type: 'string' }, text: { type: 'string' } },
                  },
                },
              },
            },
          },
          verdicts: {
            type: 'array',
            description: 'Resources that will not work on this host, or not yet, and why; what was so before is left out.',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['key', 'state', 'cause'],
              properties: { key: { type: 'string' }, state: { enum: ['WAITING', 'DOWN', 'ERROR'] }, cause: { type: 'string' } },
            },
          },
        },
      },
    },
    summary: {
      type: 'object',
      additionalProperties: false,
      required: ['create', 'update', 'delete', 'recreate'],
      properties: {
        create: { type: 'integer', minimum: 0 },
        update: { type: 'integer', minimum: 0 },
        delete: { type: 'integer', minimum: 0 },
        recreate: { type: 'integer', minimum: 0 },
      },
    },
  },
} as const
void (planOutputSchema satisfies JSONSchema)

export type PlanOutput = FromSchema<typeof planOutputSchema>
