import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { execOk } from '../../src/lab/exec.ts'
import {
  arp,
  BROADCAST_MAC,
  dhcpOffer,
  echo,
  neighborAdvertisement,
  neighborSolicitation,
  routerAdvertisement,
  tagged,
  udp,
} from '../../src/lab/frame-build.ts'
import { type Frame, FrameSocket } from '../../src/lab/frames.ts'
import { guest, host, joinByHand, port, startLab } from './support.ts'

const A = { mac: 'fa:16:3e:00:01:01', ip: '10.10.1.1', six: 'fd00::1:1' }
const B = { mac: 'fa:16:3e:00:01:02', ip: '10.10.1.2', six: 'fd00::1:2' }

test.serial('any frame leaves a guest as written, and is seen where it arrives', async (t) => {
  const lab = await startLab(t, { hosts: [host(1)], guests: [guest(1, 1), guest(1, 2)] })
  await joinByHand(lab)
  const [a, b] = [await FrameSocket.open(lab, { port: port('p11') }), await FrameSocket.open(lab, { port: port('p12') })]
  t.teardown(async () => {
    await a.close()
    await b.close()
  })
  const l2 = { src: 'fa:16:3e:66:66:66', dst: BROADCAST_MAC }
  const frames = {
    arp: arp(l2, 2, { mac: l2.src, ip: B.ip }, { mac: BROADCAST_MAC, ip: '10.10.1.9' }),
    udp: udp(l2, { src: '10.10.9.9', dst: '10.10.1.2' }, { src: 5, dst: 6 }, Buffer.from('payload')),
    dhcp: dhcpOffer(l2, { src: '10.10.9.9', dst: '255.255.255.255' }),
    na: neighborAdvertisement(l2, { src: B.six, dst: 'ff02::1' }, { ip: B.six, mac: l2.src }),
    ra: routerAdvertisement(l2, { src: 'fe80::1', dst: 'ff02::1' }, 'fd66::'),
    tagged: tagged(arp(l2, 1, { mac: l2.src, ip: B.ip }, { mac: BROADCAST_MAC, ip: '10.10.1.8' }), 42),
  }
  for (const frame of Object.values(frames)) a.send(frame)
  for (const [name, frame] of Object.entries(frames)) {
    t.truthy(await b.waitFor((f) => f.bytes.equals(frame) && f.for === 'broadcast', 2000), `${name} arrives, byte for byte`)
  }
})

test.serial('a guest’s kernel believes our checksums: it answers echo and neighbour solicitations', async (t) => {
  const lab = await startLab(t, { hosts: [host(1)], guests: [guest(1, 1), guest(1, 2)] })
  await joinByHand(lab)
  const a = await FrameSocket.open(lab, { port: port('p11') })
  t.teardown(async () => await a.close())
  const answer = async (frame: Buffer, is: (f: Frame) => boolean): Promise<Frame | undefined> => {
    a.send(frame)
    return await a.waitFor(is, 3000)
  }
  const l2 = { src: A.mac, dst: B.mac }
  t.truthy(await answer(echo(l2, { src: A.ip, dst: B.ip }), (f) => f.bytes[23] === 1 && f.bytes[34] === 0 && f.bytes.includes('netloom')))
  t.truthy(
    await answer(echo(l2, { src: A.six, dst: B.six }), (f) => f.bytes[20] === 58 && f.bytes[54] === 129 && f.bytes.includes('netloom')),
  )
  const ask = neighborSolicitation({ src: A.mac, dst: '33:33:ff:01:00:02' }, { src: A.six, dst: 'ff02::1:ff01:2' }, B.six, A.mac)
  t.truthy(await answer(ask, (f) => f.bytes[20] === 58 && f.bytes[54] === 136))
})

test.serial('one answers for a host’s tunnel address: the bridge that has it, not the kernel on the NIC as well', async (t) => {
  const lab = await startLab(t, { hosts: [host(1)], guests: [] })
  const mac = /link\/ether (\S+)/.exec(await execOk(lab, { host: 'h1' }, ['ip', 'link', 'show', 'br-und']))?.[1]
  const wire = await FrameSocket.open(lab, { host: 'h1', cable: 'underlay' })
  t.teardown(async () => await wire.close())
  const asker = { mac: 'fa:16:3e:66:66:66', ip: '192.0.2.200' }
  wire.send(arp({ src: asker.mac, dst: BROADCAST_MAC }, 1, asker, { mac: '00:00:00:00:00:00', ip: lab.spec.hosts[0]?.tunnel_ip ?? '' }))
  const isAnswer = (f: Frame): boolean => f.bytes.readUInt16BE(12) === 0x0806 && f.bytes[21] === 2
  t.truthy(await wire.waitFor(isAnswer, 3000))
  await sleep(300)
  const from = wire
    .received()
    .filter(isAnswer)
    .map((f) =>
      f.bytes
        .subarray(22, 28)
        .toString('hex')
        .replace(/..(?=.)/g, '$&:'),
    )
  t.deepEqual(from, [mac])
})

test.serial('a socket sees frames for others, and a host’s cable shows tags on the physical network', async (t) => {
  const lab = await startLab(t, { hosts: [host(1), host(2)], guests: [guest(1, 1), guest(1, 2)] })
  await joinByHand(lab)
  await execOk(lab, { host: 'h1' }, [
    ...['ovs-vsctl', 'add-port', 'br-int', 'to-ex', '--', 'set', 'Interface', 'to-ex', 'type=patch', 'options:peer=to-int'],
    ...['--', 'add-port', 'br-ex', 'to-int', '--', 'set', 'Interface', 'to-int', 'type=patch', 'options:peer=to-ex'],
    ...['--', 'set', 'Port', 'tap11000000-00', 'tag=77'],
  ])
  const a = await FrameSocket.open(lab, { port: port('p11') })
  const wire = await FrameSocket.open(lab, { host: 'h1', cable: 'physnet1' })
  const far = await FrameSocket.open(lab, { host: 'h2', interface: 'phy-physnet1' })
  t.teardown(async () => {
    for (const s of [a, wire, far]) await s.close()
  })
  const frame = udp({ src: A.mac, dst: 'fa:16:3e:99:99:99' }, { src: A.ip, dst: '10.10.9.9' }, { src: 1, dst: 2 }, Buffer.from('to nobody'))
  a.send(frame)
  const seen = await wire.waitFor((f) => f.bytes.equals(tagged(frame, 77)), 2000)
  t.is(seen?.for, 'other')
  t.truthy(await far.waitFor((f) => f.bytes.equals(tagged(frame, 77)), 2000))
  wire.send(
    tagged(
      arp(
        { src: 'fa:16:3e:99:99:99', dst: BROADCAST_MAC },
        1,
        { mac: 'fa:16:3e:99:99:99', ip: '10.10.9.9' },
        { mac: BROADCAST_MAC, ip: A.ip },
      ),
      77,
    ),
  )
  t.truthy(await a.waitFor((f) => f.bytes.includes(Buffer.from([0x08, 0x06])) && f.for === 'broadcast', 2000))
  await t.throwsAsync(async () => await FrameSocket.open(lab, { host: 'h1', interface: 'none9' }), { message: /no interface none9/ })
})
