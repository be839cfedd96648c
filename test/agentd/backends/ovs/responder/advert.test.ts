import test from 'ava'
import { advertItems } from '../../../../../agentd/backends/ovs/compile/adverts.ts'
import type { FlowValue } from '../../../../../agentd/backends/ovs/compile/values.ts'
import { type AdvertBody, advertFrame, askerOf } from '../../../../../agentd/backends/ovs/responder/advert.ts'
import { Advertiser } from '../../../../../agentd/backends/ovs/responder/advertiser.ts'
import { advertsIn } from '../../../../../agentd/backends/ovs/responder/answer.ts'
import { ip, mac } from '../../../../../src/lab/frame-build.ts'
import { onesSum } from '../../../../../src/lib/internet-checksum.ts'
import type { Advertised, LegIntent } from '../../../../../src/model/intent.ts'
import { makeKey } from '../../../../../src/model/key.ts'
import { framed, icmpMessage } from '../../../../attack/forge.ts'

const SAID: Advertised = {
  managed: false,
  other: true,
  prefixes: [
    { prefix: '2001:db8:5::/64', autonomous: true },
    { prefix: '2001:db8:6::/64', autonomous: false },
  ],
  dns: ['2001:db8::53'],
}

function leg(router: string, tag: string, advertised: Advertised | undefined = SAID): LegIntent {
  return {
    type: 'leg',
    router: makeKey('router', 'default', router),
    network: makeKey('network', 'default', 'blue'),
    mac: `02:00:00:00:00:${tag}`,
    addresses: ['2001:db8:5::1/64'],
    advertised,
  }
}

/** By way of the flow, as the responder finds it. */
function bodiesOf(legs: readonly LegIntent[], mtu = 1450): readonly AdvertBody[] {
  const items = advertItems(legs, { network: 7, mtu, meter: { meter: 70_000, unit: 'pktps', bands: [] } })
  return advertsIn(items.map((item) => (item.value as FlowValue).flow)).get(7) ?? []
}

test('what stands in the flow is a whole advertisement: flags, lifetimes, MAC, MTU, prefixes, resolvers', (t) => {
  const [body, ...more] = bodiesOf([leg('r', 'a1')])
  if (body === undefined) return t.fail()
  t.is(more.length, 0)
  const frame = advertFrame(body)
  t.deepEqual(frame.subarray(0, 14), Buffer.concat([mac('33:33:00:00:00:01'), mac('02:00:00:00:00:a1'), Buffer.from([0x86, 0xdd])]))
  t.deepEqual([frame.subarray(22, 38), frame.subarray(38, 54)], [ip('fe80::ff:fe00:a1'), ip('ff02::1')])
  t.is(frame[21], 255)
  const icmp = frame.subarray(54)
  t.is(onesSum(icmp, onesSum(Buffer.concat([frame.subarray(22, 54), Buffer.from([0, 0, 0, icmp.length, 0, 0, 0, 58])]))), 0xffff)
  t.is(icmp.toString('hex', 0, 2), '8600')
  t.is(icmp.toString('hex', 4, 16), '4040070800000000' + '00000000')
  const options = icmp.subarray(16).toString('hex')
  t.is(
    options,
    [
      '01010200000000a1',
      '05010000000005aa',
      `030440c0${'00015180'}${'00003840'}00000000${ip('2001:db8:5::').toString('hex')}`,
      `03044080${'00015180'}${'00003840'}00000000${ip('2001:db8:6::').toString('hex')}`,
      `1903000000000708${ip('2001:db8::53').toString('hex')}`,
    ].join(''),
  )
  t.false(advertFrame(bodiesOf([leg('r', 'a1')], 1200)[0] ?? body).includes(Buffer.from('0501000000', 'hex')), 'no link has less than 1280')
})

test('to who asked, or to all where it has no address yet', (t) => {
  const [body] = bodiesOf([leg('r', 'a1')])
  const l2 = { src: '02:00:00:00:00:0a', dst: '33:33:00:00:00:02' }
  const solicitation = (src: string, hops?: number): Buffer => {
    const l3 = { src, dst: 'ff02::2' }
    const frame = framed(l2, l3, 58, { body: icmpMessage(l3, 133, 0, Buffer.alloc(4)) })
    frame.writeUInt8(hops ?? 255, 21)
    return frame
  }
  if (body === undefined) return t.fail()
  const asker = askerOf(solicitation('fe80::a'))
  const frame = asker === undefined ? Buffer.alloc(54) : advertFrame(body, { asker })
  t.deepEqual([frame.subarray(0, 6), frame.subarray(38, 54)], [mac(l2.src), ip('fe80::a')])
  const nobody = askerOf(solicitation('::'))
  t.deepEqual(nobody === undefined ? undefined : advertFrame(body, { asker: nobody }).subarray(38, 54), ip('ff02::1'))
  t.is(askerOf(solicitation('fe80::a', 254)), undefined, 'from another link')
  t.is(askerOf(Buffer.alloc(10)), undefined)
})

test('said three times when it is new, now and then afterwards, anew when it changes, and once that it is over', (t) => {
  const sent: string[] = []
  const advertiser = new Advertiser({
    send: ({ packet }) => sent.push(`${Buffer.from(packet).toString('hex', 11, 12)} ${Buffer.from(packet).readUInt16BE(60)}`),
    random: () => 0.5,
  })
  const both = new Map([[7, bodiesOf([leg('r', 'a1'), leg('s', 'b1')])]])
  const one = new Map([[7, bodiesOf([leg('r', 'a1')])]])
  const during = (adverts: ReadonlyMap<number, readonly AdvertBody[]>, from: number, to: number): readonly string[] => {
    sent.length = 0
    for (let now = from; now < to; now += 2) advertiser.look(adverts, now)
    return [...sent]
  }
  t.deepEqual(during(one, 0, 100), ['a1 1800', 'a1 1800', 'a1 1800'])
  t.deepEqual(during(one, 100, 900), ['a1 1800', 'a1 1800'])
  t.deepEqual(during(both, 900, 902), ['a1 1800', 'b1 1800'])
  t.deepEqual(during(one, 902, 904), ['b1 0', 'a1 1800'])
  t.deepEqual(during(new Map(), 904, 910), ['a1 0'])
})
