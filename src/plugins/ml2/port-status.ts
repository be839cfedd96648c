import type { AttributeExtension } from '../../kinds/extension.ts'
import type { Finding } from '../../model/issue.ts'

/** What others know of the data plane below a port (Neutron's `data_plane_status`): kept and shown, nothing follows from it. */
export const dataPlaneStatus: AttributeExtension = {
  kind: 'port',
  alias: 'data-plane-status',
  properties: {
    data_plane_status: {
      type: 'string',
      enum: ['ACTIVE', 'DOWN'],
      description: 'What somebody else says of what is below the port. For people and tools: nothing follows from it here.',
      examples: ['DOWN'],
    },
  },
  mutability: { data_plane_status: 'in place' },
  normalise: (spec) => ({ spec, findings: [] }),
}

/** Neutron's `propagate_uplink_status` is about virtual functions of a NIC; whoever relies on it is to hear that there are none. */
export const propagateUplinkStatus: AttributeExtension = {
  kind: 'port',
  alias: 'uplink-status-propagation',
  properties: {
    propagate_uplink_status: {
      type: 'boolean',
      description: 'Whether a virtual function’s link goes down with that of its NIC. Ports on Open vSwitch have none: no effect.',
      examples: [true],
    },
  },
  mutability: { propagate_uplink_status: 'in place' },
  normalise: (spec) => ({ spec, findings: spec['propagate_uplink_status'] === undefined ? [] : [NO_EFFECT] }),
}

const NO_EFFECT: Finding = {
  code: 'W0361',
  severity: 'warning',
  message: 'propagate_uplink_status has no effect: it is about virtual functions of a NIC, and ports on Open vSwitch are none',
  at: ['propagate_uplink_status'],
  hint: 'remove it; whether an interface is up is told by netloom status',
}
