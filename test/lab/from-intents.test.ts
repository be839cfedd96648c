import test from 'ava'
import { labFromIntents } from '../../src/lab/from-intents.ts'
import type { AttachIntent, HostIntent } from '../../src/model/intent.ts'
import { makeKey } from '../../src/model/key.ts'
import { EMPTY_VERSION, intentKey, type ScopeContent } from '../../src/model/scope.ts'

const DRIFT = { mode: 'repair', schedule: '*/10 * * * *' } as const

const attach: AttachIntent = {
  type: 'attach',
  port: makeKey('port', 'default', 'web-1'),
  id: '3e5b2f1c-9d1a-4c7e-8f00-000000000000',
  network: makeKey('network', 'default', 'blue'),
  mac: 'fa:16:3e:00:00:01',
  admin_state_up: true,
  mtu: 1450,
  plug: { by: 'external' },
  port_security_enabled: true,
  allowed: [],
  addresses: ['10.10.0.11/24'],
}

function scope(...intents: (AttachIntent | HostIntent)[]): ScopeContent {
  return {
    version: EMPTY_VERSION,
    intents: Object.fromEntries(intents.map((i) => [intentKey(i.type, i.type === 'attach' ? i.port : i.host), i])),
  }
}

test('hosts and guests come from the host scopes, in order', (t) => {
  const h1: HostIntent = {
    type: 'host',
    host: 'h1',
    installation: 'i',
    drift: DRIFT,
    tunnel_ip: '192.0.2.1',
    bridge_mappings: { physnet1: 'br-ex' },
  }
  const h2: HostIntent = { type: 'host', host: 'h2', installation: 'i', drift: DRIFT, bridge_mappings: {} }
  const second = {
    ...attach,
    port: makeKey('port', 'default', 'web-2'),
    plug: { by: 'agent', type: 'internal', interface: 'w2', netns: 'web' },
  } as const
  const spec = labFromIntents([
    ['h2', scope(second, attach, h2)],
    ['h1', scope(h1)],
  ])
  const { port, id, mac, mtu, addresses } = attach
  t.deepEqual(spec, {
    hosts: [
      { name: 'h1', tunnel_ip: '192.0.2.1', bridge_mappings: { physnet1: 'br-ex' } },
      { name: 'h2', bridge_mappings: {} },
    ],
    guests: [
      { port, id, host: 'h2', mac, mtu, addresses },
      { port: second.port, id, host: 'h2', mac, mtu, addresses, plug: 'agent', netns: 'web' },
    ],
  })
})
