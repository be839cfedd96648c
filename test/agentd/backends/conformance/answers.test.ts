import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { checksum, frameHex } from './bytes.ts'
import { arpReply, arpRequest, solicit } from './frames.ts'
import type { RealSwitch } from './real.ts'
import { loadWorld, startHost } from './real-world.ts'
import { linkLocalOf, macOf, makeWorld } from './world.ts'

let real: RealSwitch

test.before(async () => {
  real = await startHost(0)
  const world = makeWorld({
    hosts: { h1: { tunnel_ip: '192.0.2.1' }, h2: { tunnel_ip: '192.0.2.2' } },
    networks: { blue: { type: 'vxlan', id: 100 } },
    ports: {
      a: {
        network: 'blue',
        host: 'h1',
        tag: '0a',
        ips: ['10.0.0.10', '2001:db8:5::a'],
        allowed: [{ mac: macOf('0a'), prefix: '10.0.0.11/32' }],
      },
      b: { network: 'blue', host: 'h2', tag: '0b', ips: ['10.0.0.11', '2001:db8:5::b'] },
    },
  })
  await loadWorld({ ...world, hosts: world.hosts.slice(0, 1) }, [real])
  await real.vsctl('set', 'Interface', 'vm-0', `options:tx_pcap=${join(real.directory, 'vm-0.pcap')}`)
})

test.after.always(() => real?.close())

/** What the guest on `vm-0` is sent when it sends this: real packets through the datapath, not a trace. Hex digits, one string a frame. */
async function answered(hex: string): Promise<readonly string[]> {
  const file = join(real.directory, 'vm-0.pcap')
  const before = framesIn(await readFile(file)).length
  await real.appctl.call('netdev-dummy/receive', 'vm-0', hex)
  for (let i = 0; i < 100; i++) {
    const frames = framesIn(await readFile(file))
    if (frames.length > before) return frames.slice(before)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return []
}

/** libpcap: a header of 24 bytes, then for each frame one of 16 with its length at 8. */
function framesIn(pcap: Buffer): string[] {
  const out: string[] = []
  for (let at = 24; at + 16 <= pcap.length; ) {
    const length = pcap.readUInt32LE(at + 8)
    out.push(pcap.subarray(at + 16, at + 16 + length).toString('hex'))
    at += 16 + length
  }
  return out
}

test.serial('an ARP reply, byte for byte', async (t) => {
  t.deepEqual(await answered(frameHex(arpRequest('0a', '10.0.0.10', '10.0.0.11'))), [
    frameHex(arpReply('0b', '10.0.0.11', '0a', '10.0.0.10')),
  ])
})

test.serial('the answer to an address probe of who may have the address, too', async (t) => {
  t.deepEqual(await answered(frameHex(arpRequest('0a', '0.0.0.0', '10.0.0.11'))), [frameHex(arpReply('0b', '10.0.0.11', '0a', '0.0.0.0'))])
})

for (const [says, source, target] of [
  ['an address', '2001:db8:5::a', '2001:db8:5::b'],
  ['a link-local address', linkLocalOf('0a'), linkLocalOf('0b')],
] as const) {
  test.serial(`a neighbour advertisement for ${says}: solicited, override, the option turned, the checksum right`, async (t) => {
    const question = solicit('0a', source, target)
    const [reply = '', ...more] = await answered(frameHex(question))
    t.deepEqual(more, [])
    const bytes = Buffer.from(reply, 'hex')
    const icmp = bytes.subarray(54, 54 + bytes.readUInt16BE(18))
    const mac = (at: number): string =>
      (
        bytes
          .subarray(at, at + 6)
          .toString('hex')
          .match(/../g) ?? []
      ).join(':')
    t.is(mac(0), macOf('0a'))
    t.is(mac(6), macOf('0b'))
    t.is(bytes[21], 255, 'hop limit')
    const sent = Buffer.from(frameHex(question), 'hex')
    t.deepEqual(bytes.subarray(22, 38), sent.subarray(62, 78), 'from the address asked for')
    t.deepEqual(bytes.subarray(38, 54), sent.subarray(22, 38), 'to who asked')
    t.is(icmp.subarray(0, 2).toString('hex'), '8800')
    t.is(icmp.subarray(4, 8).toString('hex'), '60000000')
    t.is(icmp.subarray(24).toString('hex'), `0201${macOf('0b').replaceAll(':', '')}`)
    const pseudo = Buffer.concat([bytes.subarray(22, 54), Buffer.from([0, 0, 0, icmp.length, 0, 0, 0, 58])])
    t.is(checksum(Buffer.concat([pseudo, icmp])), 0)
  })
}
