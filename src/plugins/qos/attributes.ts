import { type AttributeExtension, extensionOf } from '../../kinds/extension.ts'
import { type Lowered, NOTHING, type Reference, type View } from '../../kinds/kind.ts'
import type { NetworkSpec } from '../../kinds/network/spec.ts'
import type { PortSpec } from '../../kinds/port/spec.ts'
import { DEFAULT_QOS_POLICY } from '../../kinds/qos_policy/spec.ts'
import type { JsonObject } from '../../model/brand.ts'
import { hostsOf, type PortQosIntent } from '../../model/intent.ts'
import { keyParts } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import { hostScope, intentKey, qosScope } from '../../model/scope.ts'

const ALIAS = 'qos'

/** What both kinds have; null: none, whatever others say. */
function property(leftOut: string): AttributeExtension['properties'] {
  return {
    qos_policy: {
      type: ['string', 'null'],
      minLength: 1,
      maxLength: 511,
      description: `The QoS policy, as name or project/name; null: none. Left out: ${leftOut}.`,
      examples: ['gold'],
    },
  }
}

/** Neutron's `qos_policy_id` of networks, with the default that a project may have. */
export const qosOfNetwork: AttributeExtension = {
  kind: 'network',
  alias: ALIAS,
  properties: property('the default policy of the project'),
  mutability: { qos_policy: 'in place' },
  after: ['qos_policy'],
  references: policyReferences,
  claims: () => false,
  resolve: (resource, values, view) => ({ spec: policyOf(values) ?? defaultOf(resource.project, view) ?? {}, findings: [] }),
}

/** Neutron's `qos_policy_id` of ports, which comes before that of the network. */
export const qosOfPort: AttributeExtension = {
  kind: 'port',
  alias: ALIAS,
  properties: property('what the network says'),
  mutability: { qos_policy: 'in place' },
  after: ['qos_policy', 'network'],
  references: policyReferences,
  claims: () => false,
  resolve: (resource, values, view) => ({ spec: policyOf(values) ?? inherited(resource, view) ?? {}, findings: [] }),
  lower: lowerPolicy,
}

function policyReferences({ qos_policy: name }: JsonObject): readonly Reference[] {
  return typeof name === 'string' ? [{ kind: 'qos_policy', name, at: ['qos_policy'] }] : []
}

/** What is written; undefined where nothing is. */
function policyOf({ qos_policy }: JsonObject): JsonObject | undefined {
  return qos_policy === undefined ? undefined : { qos_policy }
}

function defaultOf(project: string, view: View): JsonObject | undefined {
  const [policy] = view.users(view.ref(DEFAULT_QOS_POLICY, project), 'qos_policy')
  return policy === undefined ? undefined : { qos_policy: keyParts(policy).name }
}

/** A name in a network is its project's own; a port of another project says which. */
function inherited(resource: Declared, view: View): JsonObject | undefined {
  const { network: name, device_owner: owner } = resource.spec
  if (typeof name !== 'string' || isInfrastructure(owner)) return undefined
  const network = view.need<NetworkSpec>(view.ref('network', name))
  const policy = extensionOf(network.spec, ALIAS)?.['qos_policy']
  if (typeof policy !== 'string') return undefined
  const project = keyParts(network.key).project
  return { qos_policy: policy.includes('/') || project === resource.project ? policy : `${project}/${policy}` }
}

/** Ports of the network's own equipment, which Neutron leaves alone: all but the gateways of routers. */
function isInfrastructure(owner: unknown): boolean {
  return typeof owner === 'string' && /^(network|neutron):/.test(owner) && owner !== 'network:router_gateway'
}

/** The port's host, and the one to which it is on its way, learns under which policy it is, and needs that policy. */
function lowerPolicy({ key, spec }: Resource, { qos_policy: name }: JsonObject, view: View): Lowered {
  const hosts = hostsOf(spec as PortSpec)
  if (typeof name !== 'string' || hosts.length === 0) return NOTHING
  const policy = view.ref('qos_policy', name)
  const intent: PortQosIntent = { policy, port: key, type: 'port_qos' }
  return {
    intents: hosts.map((host) => ({ scope: hostScope(host), key: intentKey('port_qos', key), intent })),
    needs: hosts.map((host) => ({ host, scope: qosScope(policy) })),
  }
}
