// A service plugin of a third party: plain JavaScript, no import of Netloom's, nothing to build.
//
//   - kind `static_neighbour`: an address on a provider network that belongs to a box which Netloom does not run, with its MAC.
//     Guests that ask for it get the answer on their own host, and frames to it go straight out.
//   - attribute `protected` on ports: while it is true, a plan that deletes the port is refused.
//   - a subscription that notes in the server's log which neighbours came and went.

/** @type {import('netloom/plugin').PluginModule} */
export const plugin = (api) => ({
  name: 'neighbours',
  role: 'service',
  summary: 'Boxes outside that guests reach by an address that is known, and ports that cannot be deleted by mistake.',
  provides: ['NEIGHBOURS'],
  requires: ['ml2'],
  agent_roles: ['l2'],
  extensions: [
    { alias: 'static-neighbour', summary: 'Addresses on provider networks whose MAC is known.', requires: ['provider'] },
    { alias: 'port-protection', summary: 'Ports that a plan may not delete.' },
  ],
  kinds: () => [{ alias: 'static-neighbour', definition: staticNeighbour(api) }],
  attributes: [portProtection],
  subscriptions: [keepProtected(api), noteNeighbours(api)],
})

/**
 * @param {import('netloom/plugin').PluginApi} api
 * @returns {import('netloom/plugin').KindDefinition}
 */
function staticNeighbour(api) {
  return {
    kind: 'static_neighbour',
    collection: 'static_neighbours',
    scope: 'project',
    summary: 'An address on a provider network that belongs to a box outside, with its MAC.',
    schema: {
      type: 'object',
      description: 'An address on a provider network that belongs to a box outside, with its MAC.',
      additionalProperties: false,
      required: ['subnet', 'ip_address', 'mac_address'],
      properties: {
        subnet: { type: 'string', minLength: 1, maxLength: 511, description: 'The subnet, as name or project/name.', examples: ['dmz-v4'] },
        ip_address: { type: 'string', description: 'An address of it.', examples: ['10.20.0.254'] },
        mac_address: { type: 'string', description: 'Any spelling.', examples: ['02:00:00:00:00:fe'] },
      },
    },
    after: ['site', 'network', 'subnet'],
    mutability: { subnet: 'recreate' },

    // Spellings to one form, so that another spelling is no change. Needs no other resource.
    normalise(spec) {
      const ip = api.canonicalIp(String(spec.ip_address))
      const mac = api.canonicalMac(String(spec.mac_address))
      const findings = []
      if (ip === undefined)
        findings.push({ code: 'E-neighbours-1', message: `${spec.ip_address} is no address`, at: ['ip_address'], hint: 'write one of the subnet' })
      if (mac === undefined || api.isMulticastMac(mac))
        findings.push({ code: 'E-neighbours-2', message: `${spec.mac_address} is no MAC of a single box`, at: ['mac_address'], hint: 'write a unicast MAC' })
      return { spec: { ...spec, ip_address: ip ?? spec.ip_address, mac_address: mac ?? spec.mac_address }, findings }
    },

    // That the subnet exists is checked by Netloom; "did you mean" included.
    references: (spec) => [{ kind: 'subnet', name: String(spec.subnet), at: ['subnet'] }],

    // It always claims an address, and never chooses one.
    claims: () => true,

    check({ spec }, view) {
      const subnet = view.need(view.ref('subnet', String(spec.subnet)))
      const network = networkOf(subnet, api, view)
      const findings = []
      const ip = api.parseIp(String(spec.ip_address))
      const parsed = api.parseCidr(String(subnet.spec.cidr))
      if (ip !== undefined && parsed !== undefined && !api.cidrContains(parsed.cidr, ip))
        findings.push({
          code: 'E-neighbours-3',
          message: `${spec.ip_address} is not in ${subnet.spec.cidr}`,
          at: ['ip_address'],
          related: [{ message: `subnet ${subnet.name}`, key: subnet.key, at: ['cidr'] }],
          hint: 'write an address of the subnet',
        })
      if (network.spec.physical_network === undefined)
        findings.push({
          code: 'E-neighbours-4',
          message: `network ${network.name} is ${network.spec.network_type}: nothing outside is on it`,
          at: ['subnet'],
          related: [{ message: `network ${network.name}`, key: network.key }],
          hint: 'name a subnet of a flat or vlan network',
        })
      return findings
    },

    // The address and the MAC are taken from where ports take theirs, so no port can have them.
    resolve({ spec, name }, view, pools) {
      const subnet = view.need(view.ref('subnet', String(spec.subnet)))
      const network = networkOf(subnet, api, view)
      const findings = []
      for (const [pool, attribute] of [
        [api.ipPool(subnet.key), 'ip_address'],
        [api.macPool(network.key), 'mac_address'],
      ]) {
        const claim = pools.claim(pool, String(spec[attribute]))
        if (!claim.ok && claim.reason === 'taken')
          findings.push({
            code: 'E-neighbours-5',
            message: `${attribute} ${spec[attribute]} of static_neighbour ${name} is in use by ${api.displayKey(claim.holder)}`,
            at: [attribute],
            related: [{ message: 'used here', key: claim.holder }],
            hint: 'write another one',
          })
      }
      return { spec, findings }
    },

    // The effect. "Where an address lives" is an intent that the core has: here it is one that lives on no host of ours.
    lower({ key, spec }, view) {
      const subnet = view.need(view.ref('subnet', String(spec.subnet)))
      const network = networkOf(subnet, api, view)
      return {
        intents: [
          {
            scope: api.networkScope(network.key),
            key: api.intentKey('location', key),
            intent: {
              type: 'location',
              port: key,
              network: network.key,
              // No host is called like this: it lives outside.
              host: key,
              mac: String(spec.mac_address),
              ips: [String(spec.ip_address)],
              port_security_enabled: true,
              admin_state_up: true,
            },
          },
        ],
        // Whoever has a port of the network has its scope already.
        needs: [],
      }
    },
  }
}

/**
 * A name in a resource is relative to that resource's project, so the subnet's own project counts here.
 * @param {import('netloom/plugin').Resource} subnet
 * @param {import('netloom/plugin').PluginApi} api
 * @param {import('netloom/plugin').View} view
 */
function networkOf(subnet, api, view) {
  const name = String(subnet.spec.network)
  const slash = name.indexOf('/')
  return view.need(
    slash < 0 ? api.makeKey('network', subnet.project, name) : api.makeKey('network', name.slice(0, slash), name.slice(slash + 1)),
  )
}

/** @type {import('netloom/plugin').AttributeExtension} */
const portProtection = {
  kind: 'port',
  alias: 'port-protection',
  properties: { protected: { type: 'boolean', description: 'true: a plan that deletes the port is refused. Left out: false.' } },
  // Not because of the attribute: neighbours take their addresses before ports choose theirs.
  after: ['static_neighbour'],
}

/**
 * @param {import('netloom/plugin').PluginApi} api
 * @returns {import('netloom/plugin').Subscription}
 */
function keepProtected(api) {
  return {
    name: 'keep-protected-ports',
    stage: 'before',
    kind: 'port',
    verbs: ['delete'],
    judge({ key, before }) {
      if (before === undefined || api.extensionOf(before.spec, 'port-protection')?.protected !== true) return []
      return [
        {
          code: 'E-neighbours-6',
          message: `${api.displayKey(key)} is protected`,
          hint: 'write protected: false and apply that first, or leave the port as it is',
        },
      ]
    },
  }
}

/**
 * @param {import('netloom/plugin').PluginApi} api
 * @returns {import('netloom/plugin').Subscription}
 */
function noteNeighbours(api) {
  return {
    name: 'note-neighbours',
    stage: 'after',
    kind: 'static_neighbour',
    verbs: ['create', 'delete'],
    // May be called again after a crash: a line in a log twice does no harm.
    async act({ verb, key }, context) {
      context.log('info', `neighbours: ${verb} ${api.displayKey(key)}`, { revision: context.revision })
    },
  }
}
