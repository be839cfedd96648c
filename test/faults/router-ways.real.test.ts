import test from 'ava'
import { udp } from '../../src/lab/frame-build.ts'
import { FrameSocket } from '../../src/lab/frames.ts'
import { port, Rig } from './rig.ts'

/** a sends to what is behind two machines that forward on: one on its host, one on the other. */
const MAC = { a: 'fa:16:3e:00:00:01', near: 'fa:16:3e:00:00:02', far: 'fa:16:3e:00:00:03' }
const NET = `hosts:
  h1: { tunnel_ip: 192.0.2.1 }
  h2: { tunnel_ip: 192.0.2.2 }
networks:
  blue: {}
  red: {}
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/24 }
  blue-v6: { network: blue, cidr: 'fd00:10::/64', gateway_ip: 'fd00:10::1' }
  red-v4: { network: red, cidr: 10.20.0.0/24 }
  red-v6: { network: red, cidr: 'fd00:20::/64', gateway_ip: 'fd00:20::1' }
ports:
  a: { network: blue, host: h1, mac_address: '${MAC.a}', fixed_ips: [{ ip_address: 10.10.0.11 }, { ip_address: 'fd00:10::11' }] }
  near: { network: red, host: h1, mac_address: '${MAC.near}', port_security_enabled: false, fixed_ips: [{ ip_address: 10.20.0.11 }, { ip_address: 'fd00:20::11' }] }
  far: { network: red, host: h2, mac_address: '${MAC.far}', port_security_enabled: false, fixed_ips: [{ ip_address: 10.20.0.12 }, { ip_address: 'fd00:20::12' }] }
`
const HOPS = { near: ['10.20.0.11', 'fd00:20::11'], far: ['10.20.0.12', 'fd00:20::12'] } as const
type Hop = keyof typeof HOPS
const BEYOND = ['10.99.0.0/16', 'fd00:99::/48'] as const

function router(...hops: readonly Hop[]): string {
  const routes = hops.flatMap((hop) => BEYOND.map((destination, i) => `{ destination: '${destination}', nexthop: '${HOPS[hop][i]}' }`))
  return `routers:\n  r:\n    interfaces: [{ subnet: blue-v4 }, { subnet: blue-v6 }, { subnet: red-v4 }, { subnet: red-v6 }]\n    routes: [${routes.join(', ')}]\n`
}

let rig: Rig
const sockets = new Map<string, FrameSocket>()
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': 'installation: faults\n', 'net.yaml': NET, 'routers.yaml': router('near', 'far') })
  for (const name of ['a', 'near', 'far']) sockets.set(name, await FrameSocket.open(rig.lab, { port: port(name) }))
})
test.after.always(async () => {
  await Promise.all([...sockets.values()].map(async (s) => await s.close()))
  await rig?.close()
})

const CONNECTIONS = 40
const FAMILIES = [
  { src: '10.10.0.11', dst: '10.99.1.2' },
  { src: 'fd00:10::11', dst: 'fd00:99::2' },
] as const
let turn = 0

/** Who gets the packets of each connection: `near`, `far`, or both, which must not be. */
async function takers(): Promise<ReadonlyMap<string, string>> {
  const mac = await rig.legMac('r', 'blue')
  const marks = FAMILIES.flatMap(({ src, dst }) =>
    Array.from({ length: CONNECTIONS }, (_, n) => ({ src, dst, sport: 20_000 + n, name: `${src} ${n}`, mark: `<${turn}:${src}:${n}>` })),
  )
  turn++
  for (let round = 0; round < 3; round++)
    for (const { src, dst, sport, mark } of marks)
      sockets.get('a')?.send(udp({ src: MAC.a, dst: mac }, { src, dst }, { src: sport, dst: 53 }, Buffer.from(mark)))
  const seen = (name: string, mark: string): boolean =>
    sockets
      .get(name)
      ?.received()
      .some(({ bytes }) => bytes.includes(mark)) === true
  const found = (mark: string): string => (['near', 'far'] as const).filter((name) => seen(name, mark)).join(' and ')
  await rig.seen('every connection arrives', async () => marks.every(({ mark }) => found(mark) !== ''))
  return new Map(marks.map(({ name, mark }) => [name, found(mark)]))
}

test.serial(
  'connections are shared out among next hops, each keeps to its own; one that goes takes none of the others with it',
  async (t) => {
    await takers()
    const both = await takers()
    t.deepEqual(
      [...both.values()].filter((by) => by !== 'near' && by !== 'far'),
      [],
    )
    for (const { src } of FAMILIES) {
      const near = [...both].filter(([name, by]) => name.startsWith(`${src} `) && by === 'near').length
      t.log(`${src}: ${near} of ${CONNECTIONS} by the one, ${CONNECTIONS - near} by the other`)
      t.true(near >= 5 && near <= CONNECTIONS - 5)
    }
    t.deepEqual([...(await takers())], [...both], 'the same again')
    await rig.write('routers.yaml', router('far'))
    await rig.until('one hop is left', (x) => x.fleet.revision >= 2 && rig.isSettled(x))
    t.deepEqual(new Set((await takers()).values()), new Set(['far']))
    await rig.write('routers.yaml', router('near', 'far'))
    await rig.until('both are there again', (x) => x.fleet.revision >= 3 && rig.isSettled(x))
    t.deepEqual([...(await takers())], [...both], 'as before')
  },
)
