import { qosPolicy } from '../../kinds/qos_policy/index.ts'
import type { Plugin } from '../plugin.ts'
import { qosOfNetwork, qosOfPort } from './attributes.ts'

/** Neutron's QoS service plugin: limits of bandwidth and packets, DSCP marks (B3.16). */
export const qos: Plugin = {
  name: 'qos',
  role: 'service',
  summary: 'What ports may send and receive.',
  provides: ['QOS'],
  requires: ['CORE'],
  extensions: [
    { alias: 'qos', summary: 'Policies of rules, for ports and networks.', requires: ['network', 'port'] },
    {
      alias: 'qos-default',
      summary: 'A policy for the networks of a project that name none.',
      requires: ['qos'],
      covers: ['qos_policy.is_default'],
    },
    { alias: 'qos-bw-limit-direction', summary: 'Limits of what a port receives.', requires: ['qos'] },
    { alias: 'qos-pps', summary: 'Limits of packets per second.', requires: ['qos'] },
    { alias: 'qos-port-network-policy', summary: 'A port shows the policy that it has from its network.', requires: ['qos'] },
  ],
  kinds: () => [{ alias: 'qos', definition: qosPolicy }],
  attributes: [qosOfNetwork, qosOfPort],
  agent_roles: [],
}
