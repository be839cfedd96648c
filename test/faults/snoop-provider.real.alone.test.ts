import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { startVswitchd, stopVswitchd } from '../../src/lab/faults.ts'
import { tagged, udp } from '../../src/lab/frame-build.ts'
import { type Frame, FrameSocket } from '../../src/lab/frames.ts'
import { igmp, v4 } from '../support/group-frames.ts'
import { port, Rig } from './rig.ts'

/*
 * IGMP snooping where frames come from a provider network, for a subport behind a trunk, and over a restart of the switch. (Through tunnels, and everything else: `snoop.real.alone`.)
 */

const VLAN = 120
const GROUP = '239.1.2.3'
const PORTS = {
  sender: { mac: 'fa:16:3e:00:00:11', ip: '10.30.0.11' },
  g: { mac: 'fa:16:3e:00:00:21', ip: '10.30.0.21' },
  other: { mac: 'fa:16:3e:00:00:22', ip: '10.30.0.22' },
  u: { mac: 'fa:16:3e:00:00:23', ip: '10.30.0.23' },
} as const
type Name = keyof typeof PORTS
const green = (name: Name, more: string): string =>
  `  ${name}: { network: green, ${more}mac_address: '${PORTS[name].mac}', fixed_ips: [{ ip_address: ${PORTS[name].ip} }] }\n`
const NET = `hosts:
  h1: { tunnel_ip: 192.0.2.1, bridge_mappings: { physnet1: br-ex } }
  h2: { tunnel_ip: 192.0.2.2, bridge_mappings: { physnet1: br-ex } }
networks:
  blue: {}
  green: { network_type: vlan, physical_network: physnet1, segmentation_id: ${VLAN}, mtu: 1450 }
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/24 }
  green-v4: { network: green, cidr: 10.30.0.0/24 }
ports:
  p: { network: blue, host: h2, fixed_ips: [{ ip_address: 10.10.0.11 }] }
${green('sender', 'host: h1, ')}${green('g', 'host: h2, ')}${green('other', 'host: h2, ')}${green('u', '')}trunks:
  t: { port: p, subports: [{ port: u, segmentation_type: inherit }] }
`

let rig: Rig
const sockets = new Map<Name | 'p', FrameSocket>()
const members = new Set<Name>()
let reporting: NodeJS.Timeout | undefined
test.before(async () => {
  rig = await Rig.up({ 'netloom.yaml': 'installation: faults\nigmp_snooping_enable: true\nigmp_query_interval: 2\n', 'net.yaml': NET })
  await rig.guests.ready(['sender', 'g', 'other', 'p'].map(port))
  for (const name of ['sender', 'g', 'other', 'p'] as const) sockets.set(name, await FrameSocket.open(rig.lab, { port: port(name) }))
  reporting = setInterval(() => {
    for (const name of members) say(name, v4(0x16, GROUP), GROUP)
  }, 500)
})
test.after.always(async () => {
  clearInterval(reporting)
  await Promise.all([...sockets.values()].map((s) => s.close()))
  await rig?.close()
})

/** What a guest says of the group; a subport's frames are its parent's, with a tag. */
function say(name: Name, message: Buffer, to: string): void {
  const frame = igmp(message, { src: PORTS[name].mac, from: PORTS[name].ip, to })
  if (name === 'u') sockets.get('p')?.send(tagged(frame, VLAN))
  else sockets.get(name)?.send(frame)
}

const COPIES = 20

/** How many of some frames for the group come to g, to the other guest of its host, and to the subport with its tag. */
async function copies(): Promise<Readonly<Record<'g' | 'other' | 'u', number>>> {
  for (const socket of sockets.values()) socket.clear()
  const frame = udp(
    { src: PORTS.sender.mac, dst: '01:00:5e:01:02:03' },
    { src: PORTS.sender.ip, dst: GROUP },
    { src: 5000, dst: 5001 },
    Buffer.from('to the group'),
  )
  for (let n = 0; n < COPIES; n++) {
    sockets.get('sender')?.send(frame)
    await sleep(5)
  }
  await sleep(150)
  const at = (name: Name | 'p', tag: number | undefined): number =>
    sockets
      .get(name)
      ?.received()
      .filter((f) => f.bytes.includes('to the group') && tagOf(f) === tag).length ?? -1
  return { g: at('g', undefined), other: at('other', undefined), u: at('p', VLAN) }
}

function tagOf({ bytes }: Frame): number | undefined {
  return bytes.readUInt16BE(12) === 0x8100 ? bytes.readUInt16BE(14) & 0xfff : undefined
}

async function become(what: string, want: Awaited<ReturnType<typeof copies>>): Promise<number> {
  let got: unknown
  return await rig.seen(what, async () => {
    got = await copies()
    return JSON.stringify(got) === JSON.stringify(want)
  })
}

test.serial('members behind a provider network, a subport with its tag among them, get each frame once; others none', async (t) => {
  members.add('g').add('u')
  t.log(`it is known who is a member after ${await become('members only', { g: COPIES, other: 0, u: COPIES })} ms`)
  members.delete('u')
  say('u', v4(0x17, GROUP), '224.0.0.2')
  t.log(`the subport left: ${await become('g only', { g: COPIES, other: 0, u: 0 })} ms`)
  members.add('u')
  say('u', v4(0x16, GROUP), GROUP)
  await sleep(100)
  t.deepEqual(await copies(), { g: COPIES, other: 0, u: COPIES }, 'it came back, and has the group at once')
  t.deepEqual(
    (await rig.drift()).flatMap((h) => h.items ?? []),
    [],
  )
})

test.serial('the switch starts again: members have the group again with everything else, and soon nobody else does', async (t) => {
  await stopVswitchd(rig.lab, 'h2', 'SIGKILL')
  await startVswitchd(rig.lab, 'h2')
  const gone = Date.now()
  await rig.seen('the group comes again', async () => {
    const { g, u } = await copies()
    return g === COPIES && u === COPIES
  })
  t.log(`members get it after ${Date.now() - gone} ms`)
  t.log(`nobody else does after ${await become('members only', { g: COPIES, other: 0, u: COPIES })} ms more`)
  await rig.settled()
  t.deepEqual(
    (await rig.drift()).flatMap((h) => h.items ?? []),
    [],
  )
})

test.serial('the subport goes: nothing is left of it among the members', async (t) => {
  await rig.write('net.yaml', NET.replace('subports: [{ port: u, segmentation_type: inherit }]', 'subports: []'))
  await rig.until('the subport is on no host', (a) => rig.isSettled(a) && rig.object(a, port('u'), 'h2') === undefined)
  await sleep(300)
  t.deepEqual(await copies(), { g: COPIES, other: 0, u: 0 })
  const members = (await rig.ofctl('h2', '--no-names', 'dump-flows', 'br-int', 'table=79'))
    .split('\n')
    .filter((l) => l.includes(`nw_dst=${GROUP}`))
  t.is(members.length, 1)
})
