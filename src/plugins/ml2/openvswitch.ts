import type { Ability, BindAnswer, BindRequest, MechanismDriver } from '../../kinds/port/mechanism-driver.ts'
import { compareText } from '../../model/key.ts'

/** A guest's tagged frame must not reach into a VLAN of the provider, so none passes but those of subports, whose tag is taken off. */
const TAGS_DROPPED: Ability = { can: false, why: 'a guest’s tagged frames are dropped at its port' }

/** Binds ports to hosts that run Open vSwitch (Neutron's `openvswitch` mechanism driver, B3.15). */
export const openvswitch: MechanismDriver = {
  name: 'openvswitch',
  summary: 'Open vSwitch on the host, by netloom-agentd.',
  vnic_types: ['normal'],
  backend: 'ovs',
  vlan_transparent: TAGS_DROPPED,
  qinq: TAGS_DROPPED,
  bind,
}

function bind({ segment, host }: BindRequest): BindAnswer {
  const { carriage, network_type: type, physical_network: physnet } = segment
  if (carriage === 'vxlan' || carriage === 'geneve' || carriage === 'gre') {
    if (host.tunnel_ip !== undefined) return BOUND
    return { ok: false, why: `the network is ${type}, and the host has no tunnel_ip`, fix: 'tunnel_ip: …', at: ['tunnel_ip'] }
  }
  if (physnet === undefined || Object.hasOwn(host.bridge_mappings, physnet)) return BOUND
  const has = Object.keys(host.bridge_mappings).sort(compareText).join(', ') || 'none'
  return {
    ok: false,
    why: `the network is on ${physnet}, and the host's bridge_mappings have ${has}`,
    fix: `bridge_mappings: { ${physnet}: <bridge> }`,
    at: ['bridge_mappings'],
  }
}

const BOUND: BindAnswer = { ok: true, vif_type: 'ovs' }
