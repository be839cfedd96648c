import { type Key, makeKey } from '../../model/key.ts'
import type { Site } from '../kind.ts'
import type { PluginChoice } from './check.ts'

/** There is one site per installation; it has this identity. */
export const SITE_KEY: Key = makeKey('site', '', 'site')

/** Plugins and drivers where the site file names none. */
export const DEFAULT_PLUGINS: Required<PluginChoice> = {
  core_plugin: 'ml2',
  service_plugins: [],
  disabled_plugins: [],
  overrides: [],
  mechanism_drivers: ['openvswitch'],
}

/** What holds where the site file says nothing: Neutron's defaults, and ranges wide enough to start without a site file. */
export const DEFAULT_SITE: Site = {
  installation: '',
  ...DEFAULT_PLUGINS,
  type_drivers: ['local', 'flat', 'vlan', 'vxlan', 'geneve', 'gre'],
  // Neutron's own default is `local`, which connects nothing across hosts.
  project_network_types: ['vxlan'],
  external_network_types: [],
  flat_networks: ['*'],
  network_vlan_ranges: [],
  vni_ranges: [{ from: 1, to: 16_777_215 }],
  geneve_ranges: [{ from: 1, to: 16_777_215 }],
  tunnel_id_ranges: [{ from: 1, to: 4_294_967_295 }],
  global_physnet_mtu: 1500,
  path_mtu: 0,
  physical_network_mtus: {},
  overlay_ip_version: 4,
  geneve_max_header_size: 30,
  igmp_snooping_enable: false,
  igmp_querier: true,
  // RFC 3376, 8.2.
  igmp_query_interval: 125,
  base_mac: 'fa:16:3e:00:00:00',
  endpoints: { pub: 'tcp://127.0.0.1:9610', rpc: 'tcp://127.0.0.1:9611', reports: 'tcp://127.0.0.1:9612' },
  workers: { rpc: 1, reports: 1 },
  source: 'worktree',
  drift: { mode: 'repair', schedule: '*/5 * * * *' },
  guards: { delete_ratio: 0.3, delete_ratio_min: 10, delete_count: 25, delete_settle_ms: 2000 },
}
