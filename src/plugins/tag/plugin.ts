import type { AttributeExtension } from '../../kinds/extension.ts'
import { compareText } from '../../model/key.ts'
import type { Plugin } from '../plugin.ts'

const ALIAS = 'standard-attr-tag'
/** Kinds that can be tagged: all that an operator names. */
const TAGGED = ['network', 'address_scope', 'subnetpool', 'subnet', 'port', 'security_group', 'address_group', 'host']
/** Those of plugins that may be turned off. */
const TAGGED_IF_THERE = ['trunk', 'qos_policy', 'tap_service', 'tap_flow', 'tap_mirror', 'log', 'router']

/** Neutron's tags: sets of words on everything, for people and tools (B3.18). */
export const tag: Plugin = {
  name: 'tag',
  role: 'service',
  summary: 'Tags on everything.',
  provides: ['TAG'],
  extensions: [{ alias: ALIAS, summary: 'A set of at most 50 tags on a resource, each of at most 255 characters.' }],
  attributes: [...TAGGED.map(tagsOf), ...TAGGED_IF_THERE.map((kind): AttributeExtension => ({ ...tagsOf(kind), optional: true }))],
  agent_roles: [],
}

function tagsOf(kind: string): AttributeExtension {
  return {
    kind,
    alias: ALIAS,
    properties: {
      tags: {
        type: 'array',
        maxItems: 50,
        uniqueItems: true,
        items: { type: 'string', minLength: 1, maxLength: 255 },
        description: 'A set of words for people and tools.',
        examples: [['prod', 'db']],
      },
    },
    mutability: { tags: 'in place' },
    // A set: the order in the file is no difference.
    normalise({ tags }) {
      const sorted = Array.isArray(tags) ? { tags: [...(tags as readonly string[])].sort(compareText) } : {}
      return { spec: sorted, findings: [] }
    },
  }
}
