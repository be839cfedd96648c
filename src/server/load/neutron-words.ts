/** What Netloom calls what others write otherwise: one of its attributes, or what to do instead. */
export type Translation = { readonly write: string } | { readonly instead: string }

const write = (word: string): Translation => ({ write: word })
const LEAVE_OUT: Translation = { instead: 'leave it out: Netloom finds it out by itself and reports it (netloom status)' }
const PROJECT: Translation = { instead: 'write `project: NAME` at the top of the file' }

/**
 * Attributes as Neutron's API, its client library and Ansible spell them, for whoever brings a network from there. They are never accepted (two
 * spellings of one attribute would have to be kept apart for ever), but the mistake names the word to write.
 */
export const NEUTRON_WORDS: ReadonlyMap<string, Translation> = new Map([
  ['provider:network_type', write('network_type')],
  ['provider:physical_network', write('physical_network')],
  ['provider:segmentation_id', write('segmentation_id')],
  ['provider_network_type', write('network_type')],
  ['provider_physical_network', write('physical_network')],
  ['provider_segmentation_id', write('segmentation_id')],
  ['router:external', write('external')],
  ['is_router_external', write('external')],
  ['is_shared', write('shared')],
  ['target_tenant', write('target_project')],
  ['target_project_id', write('target_project')],
  ['object_id', write('object')],
  ['is_admin_state_up', write('admin_state_up')],
  ['is_port_security_enabled', write('port_security_enabled')],
  ['is_dhcp_enabled', write('enable_dhcp')],
  ['dhcp_enabled', write('enable_dhcp')],
  ['gateway', write('gateway_ip')],
  ['network_id', write('network')],
  ['network_name', write('network')],
  ['subnet_id', write('subnet')],
  ['segment_id', write('segment')],
  ['service_type', write('service_types')],
  ['provider_segments', write('segments')],
  ['subnetpool_id', write('subnetpool')],
  ['subnet_pool', write('subnetpool')],
  ['subnet_pool_id', write('subnetpool')],
  ['prefix_length', write('prefixlen')],
  ['use_default_subnet_pool', write('use_default_subnetpool')],
  ['address_scope_id', write('address_scope')],
  ['minimum_prefix_length', write('min_prefixlen')],
  ['default_prefix_length', write('default_prefixlen')],
  ['maximum_prefix_length', write('max_prefixlen')],
  ['binding:host_id', write('host')],
  ['binding_host_id', write('host')],
  ['host_id', write('host')],
  ['fixed_ip', write('fixed_ips')],
  ['security_group_ids', write('security_groups')],
  ['security_group_id', { instead: 'write the rule into the `rules` of its group' }],
  ['security_group_rules', write('rules')],
  ['remote_group_id', write('remote_group')],
  ['remote_address_group_id', write('remote_address_group')],
  ['remote_security_group', write('remote_group')],
  ['ether_type', write('ethertype')],
  ['is_stateful', write('stateful')],
  ['local_ip', write('tunnel_ip')],
  ['tap_service_id', write('tap_service')],
  ['vlan_filter', { instead: 'leave it out: frames of a port have no tag here; write a tap flow for each subport of its trunk' }],
  ['qos_policy_id', write('qos_policy')],
  ['qos_policy_name', write('qos_policy')],
  ['is_enabled', write('enabled')],
  ['target', write('port')],
  ['target_id', write('port')],
  ['resource', write('security_group')],
  ['resource_id', write('security_group')],
  ['max_burst', write('max_burst_kbps')],
  ['project_id', PROJECT],
  ['tenant_id', PROJECT],
  ['name', { instead: 'leave it out: the name is the key above, and `description` is free text' }],
  ['binding:vnic_type', { instead: 'write `vnic_type`, or leave it out: on Open vSwitch every port is a `normal` one' }],
  ['binding_vnic_type', { instead: 'write `vnic_type`, or leave it out: on Open vSwitch every port is a `normal` one' }],
  ['binding:profile', { instead: 'leave it out: who plugs the interface is said by `plug`' }],
  ['binding_profile', { instead: 'leave it out: who plugs the interface is said by `plug`' }],
  ['binding:vif_type', LEAVE_OUT],
  ['binding:vif_details', LEAVE_OUT],
  ['status', LEAVE_OUT],
  ['created_at', LEAVE_OUT],
  ['updated_at', LEAVE_OUT],
  ['revision_number', LEAVE_OUT],
])

/** Collections of Neutron that are none here. */
export const NEUTRON_COLLECTIONS: ReadonlyMap<string, string> = new Map([
  ['security_group_rules', 'write each as an entry of `rules` in its group, under `security_groups`'],
  ['default_security_groups', 'write `security_groups: { default: { … } }`: the group of that name is the project’s default'],
])
