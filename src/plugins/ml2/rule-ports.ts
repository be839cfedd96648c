import type { AttributeExtension } from '../../kinds/extension.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'

/** Protocols with ports (Neutron's `SG_PORT_PROTO_NUMS`) that Open vSwitch does not look at: `tp_dst` is for TCP, UDP and SCTP (ovs-fields(7)). */
const UNSEEN: ReadonlySet<unknown> = new Set(['dccp', 'udplite'])

/** A rule about ports that the switch cannot see lets nothing pass, rather than everything as with Neutron's agent. Whoever writes one is to hear it. */
export const rulePorts: AttributeExtension = {
  kind: 'security_group',
  alias: 'security-group',
  properties: {},
  mutability: {},
  check: ({ spec }) => unseenPorts(spec),
}

function unseenPorts({ rules = [] }: JsonObject): readonly Finding[] {
  if (!Array.isArray(rules)) return []
  return rules.flatMap((rule, i): Finding[] => {
    const { protocol, port_range_min: ports } = rule as JsonObject
    if (ports === undefined || !UNSEEN.has(protocol)) return []
    return [
      {
        code: 'W0296',
        severity: 'warning',
        message: `rule ${i + 1} lets nothing pass: Open vSwitch does not see the ports of ${String(protocol)}`,
        at: ['rules', i, 'port_range_min'],
        hint: `leave the ports out to let all of ${String(protocol)} pass`,
      },
    ]
  })
}
