import test from 'ava'
import { describeWrong, type ExpectedPair, proveAll } from '../../src/lab/prove.ts'
import { HOSTS, SITE } from './repo.ts'
import { port, Rig } from './rig.ts'

/** h1 and h2 hang on the physical network, h3 and h4 have nothing but their tunnel addresses. */
const FOUR = HOSTS.replace(/(h3: .*), bridge_mappings.*\}$/m, '$1 }\n  h4: { tunnel_ip: 192.0.2.4 }')

function network(h1: string): string {
  return `networks:
  wide: { segments: [{ network_type: vlan, physical_network: physnet1, segmentation_id: 120 }, { network_type: vxlan, segmentation_id: 77 }] }
subnets:
  wide-v4: { network: wide, cidr: 10.10.0.0/16 }
ports:
  rack-1: { network: wide, host: ${h1}, fixed_ips: [{ ip_address: 10.10.0.11 }] }
  rack-2: { network: wide, host: h2, fixed_ips: [{ ip_address: 10.10.0.12 }] }
  far-1: { network: wide, host: h3, fixed_ips: [{ ip_address: 10.10.0.13 }] }
  far-2: { network: wide, host: h4, fixed_ips: [{ ip_address: 10.10.0.14 }] }
`
}

let rig: Rig
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': SITE, 'hosts.yaml': FOUR, 'wide.yaml': network('h1') })
})
test.after.always(async () => await rig?.close())

async function wrong(pairs: readonly (readonly [from: string, to: string, reach: boolean])[]): Promise<readonly string[]> {
  const expected = pairs.map(([from, to, reach]): ExpectedPair => ({ from: port(from), to: port(to), reach }))
  return describeWrong(await proveAll(rig.lab, expected, { silence_ms: 300 }))
}

test.serial('ports of one network on two segments: each segment carries its own, and the two are strangers', async (t) => {
  t.deepEqual(
    await wrong([
      ['rack-1', 'rack-2', true],
      ['rack-2', 'rack-1', true],
      ['far-1', 'far-2', true],
      ['far-2', 'far-1', true],
      ['rack-1', 'far-1', false],
      ['far-2', 'rack-2', false],
    ]),
    [],
  )
  // The VLAN's hosts make no tunnel for it, and the others no patch.
  t.false((await rig.vsctl('h1', 'list-ports', 'br-int')).includes('nl-vxlan'))
  t.false((await rig.vsctl('h3', 'list-ports', 'br-int')).includes('nl-int-'))
})

test.serial('a host that loses its physical network takes the next segment, and is reached there', async (t) => {
  await rig.write('hosts.yaml', FOUR.replace(/(h1: .*), bridge_mappings.*\}$/m, '$1 }'))
  await rig.until('h1 is rebound', (a) => a.fleet.revision > 1 && rig.isSettled(a))
  t.deepEqual(
    await wrong([
      ['rack-1', 'far-1', true],
      ['far-2', 'rack-1', true],
      ['rack-1', 'rack-2', false],
    ]),
    [],
  )
  await rig.write('hosts.yaml', FOUR)
  await rig.until('h1 is back', (a) => a.fleet.revision > 2 && rig.isSettled(a))
  t.deepEqual(
    await wrong([
      ['rack-1', 'rack-2', true],
      ['rack-1', 'far-1', false],
    ]),
    [],
  )
})
