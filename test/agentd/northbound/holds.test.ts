import test from 'ava'
import type { HeldScopes } from '../../../agentd/northbound/held.ts'
import { holdsOf } from '../../../agentd/northbound/holds.ts'
import type { IntentKey, Scope, ScopeVersion } from '../../../src/model/scope.ts'
import { build } from '../../support/world.ts'

/** The set of one host, as the agent would hold it. */
function setOf(yaml: string, host: string): HeldScopes {
  const world = build(yaml)
  const scopes = [...(world.needs.get(host)?.keys() ?? [])].map(
    (scope): [Scope, HeldScopes extends ReadonlyMap<Scope, infer H> ? H : never] => {
      const state = world.scopes.get(scope)
      return [scope, { version: state?.version ?? ('' as ScopeVersion), intents: new Map<IntentKey, never>(state?.intents as never) }]
    },
  )
  return new Map(scopes)
}

const YAML = `
networks:
  blue: { network_type: vxlan, segmentation_id: 77 }
  red: { network_type: vlan, physical_network: physnet1, segmentation_id: 120 }
  flat: { network_type: flat, physical_network: physnet1 }
  away: { network_type: vxlan, segmentation_id: 78 }
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/24 }
  blue-v6: { network: blue, cidr: 'fd00:10::/64' }
ports:
  web-1: { network: blue, host: h1, mac_address: 'fa:16:3e:00:00:01', fixed_ips: [{ ip_address: 10.10.0.11 }, { ip_address: 'fd00:10::11' }] }
  web-2: { network: blue, host: h2, mac_address: 'fa:16:3e:00:00:02', fixed_ips: [{ ip_address: 10.10.0.12 }] }
  nobody: { network: blue, mac_address: 'fa:16:3e:00:00:03', fixed_ips: [{ ip_address: 10.10.0.13 }] }
  v: { network: red, host: h1, mac_address: 'fa:16:3e:00:00:04', fixed_ips: [] }
  f: { network: flat, host: h1, mac_address: 'fa:16:3e:00:00:05', fixed_ips: [] }
  elsewhere: { network: away, host: h2, fixed_ips: [] }
hosts:
  h1: { tunnel_ip: 192.0.2.1, bridge_mappings: { physnet1: br-ex } }
  h2: { tunnel_ip: 192.0.2.2 }
tap_services: { t: { port: web-1 } }
site: { flat_networks: [physnet1], project_network_types: [vxlan], vni_ranges: [{ from: 500, to: 500 }] }
`

test('an agent tells of its own ports, of those that nobody attaches, and of the segments it carries', (t) => {
  const digest = '0'.repeat(32)
  const port = (name: string, network: string, n: number, ...ips: readonly string[]): unknown => ({
    port: `port/default/${name}`,
    network: `network/default/${network}`,
    mac: `fa:16:3e:00:00:0${n}`,
    ips,
  })
  t.deepEqual(holdsOf('h1', { revision: 9, digest, scopes: setOf(YAML, 'h1') }) as unknown, {
    revision: 9,
    digest,
    ports: [
      port('f', 'flat', 5),
      port('nobody', 'blue', 3, '10.10.0.13'),
      port('v', 'red', 4),
      port('web-1', 'blue', 1, '10.10.0.11', 'fd00:10::11'),
    ],
    segments: [
      { network: 'network/default/blue', network_type: 'vxlan', segmentation_id: 77 },
      { network: 'network/default/flat', network_type: 'flat', physical_network: 'physnet1' },
      { network: 'network/default/red', network_type: 'vlan', physical_network: 'physnet1', segmentation_id: 120 },
      { network: 'tap_service/default/t', network_type: 'vxlan', segmentation_id: 500 },
    ],
  })
})
