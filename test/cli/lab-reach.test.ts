import test from 'ava'
import { reaches } from '../../src/cli/lab-reach.ts'
import { makeKey } from '../../src/model/key.ts'
import { build } from '../support/world.ts'

const port = (name: string) => makeKey('port', 'default', name)

test('ports of a local network meet on one host only; those of a tunnelled one anywhere; those of two networks never', (t) => {
  const ports = (network: string): string =>
    ['a: h1', 'b: h1', 'c: h2'].map((p) => `${network}-${p.replace(/: (.*)/, `: { network: ${network}, host: $1 }`)}`).join(', ')
  const world = build(
    `hosts: { h1: { tunnel_ip: 192.0.2.1 }, h2: { tunnel_ip: 192.0.2.2 } }
networks: { here: { network_type: local, port_security_enabled: false }, all: { network_type: vxlan, port_security_enabled: false } }
ports: { ${ports('here')}, ${ports('all')} }`,
  )
  const reach = reaches(world)
  const met = (from: string, to: string): unknown => reach(port(from), port(to))
  t.deepEqual([met('here-a', 'here-b'), met('here-a', 'here-c'), met('here-c', 'here-a')], [true, false, false])
  t.deepEqual([met('all-a', 'all-b'), met('all-a', 'all-c')], [true, true])
  t.false(met('here-a', 'all-b'))
})
