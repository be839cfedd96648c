import { addressScope } from '../../kinds/address_scope/index.ts'
import { createHost } from '../../kinds/host/index.ts'
import { createNetwork } from '../../kinds/network/index.ts'
import { createPort } from '../../kinds/port/index.ts'
import { subnet } from '../../kinds/subnet/index.ts'
import { subnetpool } from '../../kinds/subnetpool/index.ts'
import type { Drivers, OwnedKind, Plugin } from '../plugin.ts'
import { dnsOfNetwork, dnsOfPort } from './dns.ts'
import { extraDhcpOpts } from './extra-dhcp-opts.ts'
import { openvswitch } from './openvswitch.ts'
import { TYPE_DRIVERS } from './types.ts'

/** Neutron's ML2: the core kinds, type drivers and mechanism drivers. */
export const ml2: Plugin = {
  name: 'ml2',
  role: 'core',
  summary: 'Networks, subnets, ports and hosts; how networks are carried, and what binds ports to hosts.',
  provides: ['CORE'],
  extensions: [
    { alias: 'network', summary: 'Networks.' },
    { alias: 'subnet', summary: 'Subnets and their addresses.' },
    { alias: 'subnet_allocation', summary: 'Subnet pools, from which subnets get their blocks.' },
    {
      alias: 'default-subnetpools',
      summary: 'A subnet pool of each family that subnets can use without naming it.',
      requires: ['subnet_allocation'],
    },
    { alias: 'address-scope', summary: 'Subnet pools whose addresses are unique among each other.', requires: ['subnet_allocation'] },
    { alias: 'port', summary: 'Ports.' },
    { alias: 'agent', summary: 'Hosts that run an agent.' },
    { alias: 'provider', summary: 'network_type, physical_network and segmentation_id of a network.' },
    { alias: 'external-net', summary: 'Networks that lead outside.' },
    { alias: 'net-mtu', summary: 'The MTU of a network is known.' },
    { alias: 'net-mtu-writable', summary: 'The MTU of a network can be written.', requires: ['net-mtu'] },
    { alias: 'binding', summary: 'The host of a port, its vnic_type, and how it is bound.' },
    { alias: 'port-security', summary: 'Anti-spoofing can be switched off.' },
    { alias: 'allowed-address-pairs', summary: 'Further addresses that a port may send from.' },
    { alias: 'dns-integration', summary: 'Names of ports and domains of networks and ports.' },
    { alias: 'extra_dhcp_opt', summary: 'DHCP options of single ports.' },
  ],
  kinds: coreKinds,
  attributes: [dnsOfNetwork, dnsOfPort, extraDhcpOpts],
  type_drivers: TYPE_DRIVERS,
  mechanism_drivers: [openvswitch],
  agent_roles: ['l2'],
}

function coreKinds(drivers: Drivers): readonly OwnedKind[] {
  const backends = [...new Set(drivers.mechanisms.map((m) => m.backend))]
  return [
    { alias: 'network', definition: createNetwork(drivers.types) },
    { alias: 'address-scope', definition: addressScope },
    { alias: 'subnet_allocation', definition: subnetpool },
    { alias: 'subnet', definition: subnet },
    { alias: 'port', definition: createPort(drivers) },
    { alias: 'agent', definition: createHost(backends) },
  ]
}
