import { addressGroup } from '../../kinds/address_group/index.ts'
import { addressScope } from '../../kinds/address_scope/index.ts'
import { createHost } from '../../kinds/host/index.ts'
import { createNetwork } from '../../kinds/network/index.ts'
import { createNetworkSegmentRange } from '../../kinds/network_segment_range/index.ts'
import { createPort } from '../../kinds/port/index.ts'
import { quota } from '../../kinds/quota/index.ts'
import { rbacPolicy } from '../../kinds/rbac_policy/index.ts'
import { securityGroup } from '../../kinds/security_group/index.ts'
import { subnet } from '../../kinds/subnet/index.ts'
import { subnetpool } from '../../kinds/subnetpool/index.ts'
import type { Drivers, OwnedKind, Plugin } from '../plugin.ts'
import { agents } from './agents.ts'
import { dnsOfNetwork, dnsOfPort } from './dns.ts'
import { extraDhcpOpts } from './extra-dhcp-opts.ts'
import { openvswitch } from './openvswitch.ts'
import { dataPlaneStatus, propagateUplinkStatus } from './port-status.ts'
import { rulePorts } from './rule-ports.ts'
import { TYPE_DRIVERS } from './types.ts'

/** Neutron's ML2: the core kinds, type drivers and mechanism drivers. */
export const ml2: Plugin = {
  name: 'ml2',
  role: 'core',
  summary: 'Networks, subnets, ports and hosts; how networks are carried, what binds ports to hosts, what projects share and may have.',
  provides: ['CORE'],
  extensions: [
    { alias: 'network', summary: 'Networks.' },
    { alias: 'subnet', summary: 'Subnets and their addresses.' },
    { alias: 'subnet_allocation', summary: 'Subnet pools, from which subnets get their blocks.' },
    {
      alias: 'default-subnetpools',
      summary: 'A subnet pool of each family that subnets can use without naming it.',
      requires: ['subnet_allocation'],
      covers: ['subnetpool.is_default', 'subnet.use_default_subnetpool'],
    },
    {
      alias: 'subnet-service-types',
      summary: 'Subnets for ports of certain owners.',
      requires: ['subnet'],
      covers: ['subnet.service_types'],
    },
    { alias: 'address-scope', summary: 'Subnet pools whose addresses are unique among each other.', requires: ['subnet_allocation'] },
    { alias: 'port', summary: 'Ports.' },
    { alias: 'agent', summary: 'Hosts that run an agent.' },
    {
      alias: 'provider',
      summary: 'network_type, physical_network and segmentation_id of a network.',
      covers: ['network.network_type', 'network.physical_network', 'network.segmentation_id'],
    },
    {
      alias: 'multi-provider',
      summary: 'Networks that are carried in several ways.',
      requires: ['provider'],
      covers: ['network.segments'],
    },
    { alias: 'segment', summary: 'Subnets on segments of a network.', requires: ['multi-provider'], covers: ['subnet.segment'] },
    { alias: 'ip_allocation', summary: 'Ports whose addresses wait for their host.', requires: ['segment'] },
    { alias: 'rbac-policies', summary: 'Networks that other projects may use.' },
    { alias: 'quotas', summary: 'How many resources of each kind a project may have.' },
    { alias: 'quota_details', summary: 'What is used of a quota: netloom quota.', requires: ['quotas'] },
    { alias: 'availability_zone', summary: 'Zones of hosts.', requires: ['agent'], covers: ['host.availability_zone'] },
    {
      alias: 'network_availability_zone',
      summary: 'Zones that a network asks for.',
      requires: ['availability_zone'],
      covers: ['network.availability_zone_hints'],
    },
    { alias: 'external-net', summary: 'Networks that lead outside.', covers: ['network.external'] },
    {
      alias: 'vlan-transparent',
      summary: 'Networks that hand on their guests’ VLAN tags, where the mechanism drivers can.',
      covers: ['network.vlan_transparent'],
    },
    { alias: 'qinq', summary: 'The same within a tag of the network.', covers: ['network.qinq'] },
    { alias: 'network-segment-range', summary: 'Ranges of numbers for projects.', requires: ['provider'] },
    { alias: 'net-mtu', summary: 'The MTU of a network is known.' },
    { alias: 'net-mtu-writable', summary: 'The MTU of a network can be written.', requires: ['net-mtu'], covers: ['network.mtu'] },
    { alias: 'binding', summary: 'The host of a port, its vnic_type, and how it is bound.', covers: ['port.host', 'port.vnic_type'] },
    {
      alias: 'port-security',
      summary: 'Anti-spoofing can be switched off.',
      covers: ['network.port_security_enabled', 'port.port_security_enabled'],
    },
    { alias: 'allowed-address-pairs', summary: 'Further addresses that a port may send from.', covers: ['port.allowed_address_pairs'] },
    { alias: 'security-group', summary: 'Groups of ports, and rules about what these may receive and send.', requires: ['port-security'] },
    { alias: 'stateful-security-group', summary: 'Groups in which answers need rules of their own.', requires: ['security-group'] },
    {
      alias: 'security-groups-normalized-cidr',
      summary: 'remote_ip_prefix is kept as the network it stands for.',
      requires: ['security-group'],
    },
    { alias: 'security-groups-default-rules', summary: 'A template of the rules that new groups get.', requires: ['security-group'] },
    {
      alias: 'security-groups-default-statefulness',
      summary: 'Groups are stateful unless they say otherwise.',
      requires: ['stateful-security-group'],
    },
    { alias: 'address-group', summary: 'Addresses that rules name together.' },
    {
      alias: 'security-groups-remote-address-group',
      summary: 'Rules about what an address group holds.',
      requires: ['security-group', 'address-group'],
    },
    {
      alias: 'rbac-security-groups',
      summary: 'Security groups that other projects may use.',
      requires: ['rbac-policies', 'security-group'],
    },
    { alias: 'rbac-address-group', summary: 'Address groups that other projects may use.', requires: ['rbac-policies', 'address-group'] },
    { alias: 'dns-integration', summary: 'Names of ports and domains of networks and ports.' },
    { alias: 'extra_dhcp_opt', summary: 'DHCP options of single ports.' },
    {
      alias: 'binding-extended',
      summary: 'A port that is wired on the host to which its guest is on its way.',
      requires: ['binding'],
      covers: ['port.migrating_to'],
    },
    { alias: 'data-plane-status', summary: 'What others say of the data plane below a port.' },
    { alias: 'uplink-status-propagation', summary: 'Understood, and said to have no effect on Open vSwitch.' },
  ],
  kinds: coreKinds,
  attributes: [dnsOfNetwork, dnsOfPort, extraDhcpOpts, dataPlaneStatus, propagateUplinkStatus, rulePorts],
  type_drivers: TYPE_DRIVERS,
  mechanism_drivers: [openvswitch],
  subscriptions: [agents],
  agent_roles: ['l2'],
}

function coreKinds(drivers: Drivers): readonly OwnedKind[] {
  const backends = [...new Set(drivers.mechanisms.map((m) => m.backend))]
  return [
    { alias: 'network-segment-range', definition: createNetworkSegmentRange(drivers.types) },
    { alias: 'network', definition: createNetwork(drivers) },
    { alias: 'address-scope', definition: addressScope },
    { alias: 'subnet_allocation', definition: subnetpool },
    { alias: 'subnet', definition: subnet },
    { alias: 'address-group', definition: addressGroup },
    { alias: 'security-group', definition: securityGroup },
    { alias: 'port', definition: createPort(drivers) },
    { alias: 'agent', definition: createHost(backends, drivers.roles) },
    { alias: 'rbac-policies', definition: rbacPolicy },
    { alias: 'quotas', definition: quota },
  ]
}
