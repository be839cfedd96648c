import test from 'ava'
import { exec, execOk } from '../../src/lab/exec.ts'
import { FrameSocket } from '../../src/lab/frames.ts'
import { makeKey } from '../../src/model/key.ts'
import { port, Rig } from './rig.ts'

/** a makes its own address (slaac), s is told to ask DHCPv6 for one, q hears nothing: its subnet has no ipv6_ra_mode. y is behind the router. */
const NET = `hosts:
  h1: { tunnel_ip: 192.0.2.1 }
  h2: { tunnel_ip: 192.0.2.2 }
networks:
  blue: { mtu: 1400 }
  ask: {}
  quiet: {}
  red: {}
subnets:
  blue-v6: { network: blue, cidr: 'fd00:10::/64', gateway_ip: 'fd00:10::1', ipv6_ra_mode: slaac, ipv6_address_mode: slaac, dns_nameservers: ['fd00:53::53'] }
  ask-v6: { network: ask, cidr: 'fd00:30::/64', gateway_ip: 'fd00:30::1', ipv6_ra_mode: dhcpv6-stateful, ipv6_address_mode: dhcpv6-stateful }
  quiet-v6: { network: quiet, cidr: 'fd00:40::/64', gateway_ip: 'fd00:40::1' }
  red-v6: { network: red, cidr: 'fd00:20::/64', gateway_ip: 'fd00:20::1' }
ports:
  a: { network: blue, host: h1, fixed_ips: [{ subnet: blue-v6 }] }
  b: { network: blue, host: h2, fixed_ips: [{ subnet: blue-v6 }] }
  s: { network: ask, host: h1, fixed_ips: [{ ip_address: 'fd00:30::11' }] }
  q: { network: quiet, host: h1, fixed_ips: [{ ip_address: 'fd00:40::11' }] }
  y: { network: red, host: h2, fixed_ips: [{ ip_address: 'fd00:20::12' }] }
`
const ROUTER = 'routers: { r: { interfaces: [{ subnet: blue-v6 }, { subnet: ask-v6 }, { subnet: quiet-v6 }, { subnet: red-v6 }] } }\n'
const GUEST = 'eth0'

let rig: Rig
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': 'installation: faults\n', 'net.yaml': NET, 'routers.yaml': ROUTER })
})
test.after.always(async () => await rig?.close())

/** The guest forgets what the lab gave it, and configures itself as its kernel does. */
async function configureItself(name: string): Promise<void> {
  const script = `cd /proc/sys/net/ipv6/conf/${GUEST} && echo 2 > accept_ra && echo 1 > autoconf && echo 0 > accept_dad
    ip link set ${GUEST} down && ip -6 addr flush dev ${GUEST} && ip -6 route flush dev ${GUEST}; ip link set ${GUEST} up`
  await execOk(rig.lab, { port: port(name) }, ['sh', '-c', script])
}

async function ip(name: string, ...args: readonly string[]): Promise<string> {
  return (await exec(rig.lab, { port: port(name) }, ['ip', '-6', ...args, 'dev', GUEST])).stdout
}

interface Shown {
  readonly attributes: { readonly fixed_ips: readonly { readonly ip_address: string }[] }
}

async function addressOf(name: string): Promise<string> {
  const { attributes } = await rig.netloom<Shown>('show', 'port', name, rig.dir)
  return attributes.fixed_ips[0]?.ip_address ?? ''
}

/** How the advertisements look that come to a guest unasked or asked: flags and lifetime. */
async function heard(socket: FrameSocket, ms: number): Promise<string | undefined> {
  const frame = await socket.waitFor(({ bytes }) => bytes.readUInt16BE(12) === 0x86dd && bytes[20] === 58 && bytes[54] === 134, ms)
  return frame === undefined ? undefined : `${frame.bytes[59]?.toString(16)} ${frame.bytes.readUInt16BE(60)}`
}

test.serial('a guest that asks makes the very address that it was planned, learns its router, and reaches another network', async (t) => {
  await configureItself('a')
  const planned = await addressOf('a')
  await rig.seen('the guest has its address', async () => (await ip('a', 'addr', 'show')).includes(`${planned}/64`))
  t.regex(await ip('a', 'route', 'show'), /default via fe80::[0-9a-f:]+ proto ra/)
  const asked = await exec(rig.lab, { port: port('a') }, ['ping', '-n', '-c', '3', '-i', '0.2', '-W', '2', 'fd00:20::12'])
  t.regex(asked.stdout, /bytes from fd00:20::12/)
})

test.serial('who is to ask DHCPv6 makes no address; where the subnet has no ipv6_ra_mode nothing is said', async (t) => {
  const [s, q] = [await FrameSocket.open(rig.lab, { port: port('s') }), await FrameSocket.open(rig.lab, { port: port('q') })]
  t.teardown(async () => await Promise.all([s.close(), q.close()]))
  await configureItself('s')
  await configureItself('q')
  t.is(await heard(s, 5000), '80 1800')
  await rig.seen('it has a router', async () => (await ip('s', 'route', 'show')).includes('default via fe80::'))
  t.false((await ip('s', 'addr', 'show')).includes('fd00:30::'))
  t.is(await heard(q, 1000), undefined)
})

test.serial(
  'a change is said unasked on every host, also while agents are dead; a router that goes says so, and guests forget it',
  async (t) => {
    const b = await FrameSocket.open(rig.lab, { port: port('b') })
    t.teardown(async () => await b.close())
    for (const host of rig.hosts) await rig.stopAgent(host, 'SIGKILL')
    b.clear()
    await configureItself('b')
    t.is(await heard(b, 5000), '0 1800', 'who asks is answered')
    for (const host of rig.hosts) await rig.startAgent(host)
    await rig.settled()
    b.clear()
    await rig.write('net.yaml', NET.replace(", dns_nameservers: ['fd00:53::53']", ''))
    const without = await b.waitFor(({ bytes }) => bytes[54] === 134 && !bytes.includes(Buffer.from('fd005300', 'hex')), 10_000)
    t.not(without, undefined, 'the resolver is not named any more')
    b.clear()
    await rig.remove('routers.yaml')
    await rig.until('the router is gone', (x) => rig.isSettled(x) && rig.object(x, makeKey('router', 'default', 'r')) === undefined)
    const over = await b.waitFor(({ bytes }) => bytes[54] === 134 && bytes.readUInt16BE(60) === 0, 5000)
    t.not(over, undefined, 'it says that it is none any more')
    await rig.seen('the guest has no router any more', async () => !(await ip('b', 'route', 'show')).includes('default'))
    await rig.seen('nor has one on the other host', async () => !(await ip('a', 'route', 'show')).includes('default'))
  },
)
