// Drivers of a third party: a way to carry networks, and what binds ports to hosts.

/** VLANs that the racks' own switches carry; never on a physical network of the site file. */
const FABRIC = 'fabric0'

/** @type {import('netloom/plugin').PluginModule} */
export const plugin = (api) => ({
  name: 'fabric',
  role: 'service',
  summary: 'Networks on the racks’ fabric, and machines without a hypervisor on it.',
  provides: ['FABRIC'],
  requires: ['CORE'],
  agent_roles: [],
  extensions: [{ alias: 'fabric', summary: 'network_type fabric, and the mechanism driver bare_metal.' }],
  type_drivers: [
    {
      type: 'fabric',
      summary: 'A VLAN of the fabric, 3000 to 3099.',
      // Backends know how to carry a VLAN; they never hear of `fabric`.
      carriage: 'vlan',
      physical_network: 'with-number',
      numbers: { first: 3000, last: 3099 },
      automatic: true,
      candidates: (_site, physnet) =>
        physnet === undefined || physnet === FABRIC ? [{ physical_network: FABRIC, ranges: [{ from: 3000, to: 3099 }] }] : [],
      maximumMtu: (site, physnet) => api.physicalMtu(site, physnet),
    },
  ],
  mechanism_drivers: [
    {
      name: 'bare_metal',
      summary: 'Machines whose NIC is on the fabric itself.',
      vnic_types: ['baremetal'],
      backend: 'ovs',
      // Beside openvswitch, which cannot, it does not matter; where it is alone, networks may ask for it.
      vlan_transparent: { can: true },
      qinq: { can: false, why: 'the fabric’s switches take one tag' },
      bind({ segment, host }) {
        if (segment.network_type !== 'fabric') return { ok: false, why: `only fabric networks reach machines, and this one is ${segment.network_type}` }
        if (Object.hasOwn(host.bridge_mappings, FABRIC)) return { ok: true, vif_type: 'other' }
        return { ok: false, why: `the host is not on ${FABRIC}`, fix: `bridge_mappings: { ${FABRIC}: <bridge> }`, at: ['bridge_mappings'] }
      },
    },
  ],
})
