import test from 'ava'
import fc from 'fast-check'
import { isForAll, makeQuery, readFrame, type Said } from '../../../../../agentd/backends/ovs/snoop/messages.ts'
import { igmp, mld, records, v4, v6 } from '../../../../support/group-frames.ts'

const report = (family: 4 | 6, wants: readonly string[], leaves: readonly string[] = []): Said => ({
  kind: 'report',
  family,
  wants,
  leaves,
})

test('IGMP of all versions is read', (t) => {
  for (const type of [0x12, 0x16]) t.deepEqual(readFrame(igmp(v4(type, '239.1.2.3'))), report(4, ['239.1.2.3']))
  t.deepEqual(readFrame(igmp(v4(0x17, '239.1.2.3'), { to: '224.0.0.2' })), report(4, [], ['239.1.2.3']))
  t.deepEqual(readFrame(igmp(v4(0x16, '224.0.0.251'))), report(4, []), 'a group of the link is nobody’s to ask for')
  const all = records(
    0x22,
    [4, '239.0.0.1'],
    [3, '239.0.0.2'],
    [3, '239.0.0.3', '10.0.0.9'],
    [1, '239.0.0.4', '10.0.0.9', '10.0.0.8'],
    [2, '239.0.0.5', '10.0.0.9'],
    [5, '239.0.0.6', '10.0.0.9'],
    [6, '239.0.0.7', '10.0.0.9'],
    [9, '239.0.0.8'],
  )
  const wants = ['239.0.0.1', '239.0.0.3', '239.0.0.4', '239.0.0.5', '239.0.0.6']
  t.deepEqual(readFrame(igmp(all, { to: '224.0.0.22' })), report(4, wants, ['239.0.0.2']))
  t.deepEqual(readFrame(igmp(v4(0x11, '0.0.0.0'), { to: '224.0.0.1' })), { kind: 'query', family: 4, routed: true })
  t.deepEqual(readFrame(igmp(v4(0x11, '239.1.2.3'))), { kind: 'query', family: 4, routed: true, group: '239.1.2.3' })
  const third = Buffer.concat([v4(0x11, '0.0.0.0'), Buffer.from([2, 0x8f, 0, 0])])
  t.deepEqual(readFrame(igmp(third, { from: '0.0.0.0', to: '224.0.0.1' })), { kind: 'query', family: 4, routed: false, seconds: 248 })
  t.deepEqual(readFrame(igmp(v4(0x30, '239.1.2.3'))), { kind: 'unknown', family: 4 })
  t.deepEqual(readFrame(igmp(Buffer.alloc(8), { protocol: 103, to: '224.0.0.13' })), { kind: 'router', family: 4 })
})

test('MLD of both versions is read', (t) => {
  const group = 'ff0e::1:2:3'
  t.deepEqual(readFrame(mld(v6(131, group))), report(6, [group]))
  t.deepEqual(readFrame(mld(v6(132, group))), report(6, [], [group]))
  t.deepEqual(readFrame(mld(v6(131, 'ff02::1:ff00:1'))), report(6, []))
  t.deepEqual(readFrame(mld(records(143, [4, group], [3, 'ff05::9'], [4, 'ff12::3']), { from: '::' })), report(6, [group], ['ff05::9']))
  t.deepEqual(readFrame(mld(v6(130, '::'))), { kind: 'query', family: 6, routed: true })
  t.is(readFrame(mld(v6(130, '::'), { from: '::' })), undefined, 'who asks has an address')
  t.is(readFrame(mld(v6(131, group), { hops: 2 })), undefined, 'from beyond the link')
  t.is(readFrame(mld(v6(131, group), { from: 'fd00::1' })), undefined)
})

test('what is not sent to the group is heard by nobody, so it says nothing', (t) => {
  const to = (frame: Buffer, mac: string): Buffer => Buffer.concat([Buffer.from(mac, 'hex'), frame.subarray(6)])
  const asks = [igmp(v4(0x11, '0.0.0.0'), { to: '224.0.0.1' }), mld(v6(130, '::'), { to: 'ff02::1' })]
  for (const frame of asks) {
    t.is(readFrame(frame)?.kind, 'query')
    t.is(readFrame(to(frame, 'fa163e999999')), undefined, 'to a machine that is not there')
    t.is(readFrame(to(frame, '01005e7f0101')), undefined, 'to another group')
  }
  t.is(readFrame(igmp(v4(0x11, '0.0.0.0'), { to: '10.0.0.9' })), undefined, 'to one machine')
})

test('what is damaged, cut short or in pieces says nothing', (t) => {
  const frames = [
    igmp(v4(0x16, '239.1.2.3')),
    igmp(records(0x22, [4, '239.0.0.1'], [1, '239.0.0.2', '10.0.0.9']), { to: '224.0.0.22' }),
    mld(records(143, [4, 'ff0e::1'])),
    mld(v6(131, 'ff0e::1')),
  ]
  for (const frame of frames) {
    t.not(readFrame(frame), undefined)
    for (let n = 0; n < frame.length; n++) t.is(readFrame(frame.subarray(0, n)), undefined, `${n} bytes`)
    const body = frame.readUInt16BE(12) === 0x0800 ? 38 : 62
    for (let at = body; at < frame.length; at++) {
      const bad = Buffer.from(frame)
      bad.writeUInt8(bad.readUInt8(at) ^ 0x40, at)
      t.is(readFrame(bad), undefined, `byte ${at}`)
    }
  }
  t.is(readFrame(igmp(v4(0x16, '239.1.2.3'), { fragment: 0x2000 })), undefined)
  t.is(readFrame(igmp(v4(0x16, '239.1.2.3'), { fragment: 7 })), undefined)
  const lying = records(0x22, [4, '239.0.0.1'])
  lying.writeUInt16BE(2, 6)
  t.is(readFrame(igmp(lying)), undefined, 'more records than there are')
  lying.writeUInt16BE(1, 6)
  lying.writeUInt16BE(0xffff, 10)
  t.is(readFrame(igmp(lying)), undefined, 'more sources than there are')
})

test('no frame makes the reader throw, and none yields more groups than fit into it', (t) => {
  const look = (frame: Buffer): void => {
    const said = readFrame(frame)
    if (said?.kind === 'report') t.true(said.wants.length + said.leaves.length <= frame.length / 8)
    if (said !== undefined) isForAll(said, frame)
  }
  const body = fc.uint8Array({ minLength: 8, maxLength: 200 }).map((b) => Buffer.from(b))
  const typed = fc.tuple(fc.constantFrom(0x11, 0x12, 0x16, 0x17, 0x22, 130, 131, 132, 143), body).map(([type, b]) => {
    b.writeUInt8(type, 0)
    if (b.length > 8) b.writeUInt16BE(b.readUInt8(7) % 8, 6)
    return b
  })
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.from(b)),
        typed.map((b) => igmp(b)),
        typed.map((b) => mld(b)),
        fc.tuple(typed, fc.nat(120), fc.nat(255)).map(([b, at, value]) => {
          const frame = mld(b)
          frame.writeUInt8(value, at % frame.length)
          return frame
        }),
      ),
      look,
    ),
    { numRuns: 3000 },
  )
  t.pass()
})

test('the questions of the agent are questions, and give way to every router', (t) => {
  t.deepEqual(readFrame(makeQuery(4, { seconds: 10, interval: 125 })), { kind: 'query', family: 4, routed: false, seconds: 125 })
  t.deepEqual(readFrame(makeQuery(6, { seconds: 10, interval: 600 })), { kind: 'query', family: 6, routed: true, seconds: 576 })
  const one = makeQuery(4, { group: '239.129.2.3', seconds: 1, interval: 0 })
  t.deepEqual(readFrame(one), { kind: 'query', family: 4, routed: false, group: '239.129.2.3' })
  t.is(one.subarray(0, 6).toString('hex'), '01005e010203')
  t.true(isForAll(readFrame(one) ?? { kind: 'router', family: 4 }, one))
  const six = makeQuery(6, { group: 'ff0e::1:2:3', seconds: 1, interval: 0 })
  t.deepEqual(readFrame(six), { kind: 'query', family: 6, routed: true, group: 'ff0e::1:2:3' })
  t.is(six.subarray(0, 6).toString('hex'), '333300020003')
})
