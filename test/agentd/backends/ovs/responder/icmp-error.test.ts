import test from 'ava'
import fc from 'fast-check'
import type { Fault } from '../../../../../agentd/backends/ovs/compile/registers.ts'
import { icmpError } from '../../../../../agentd/backends/ovs/responder/icmp-error.ts'
import { ip, mac, udp } from '../../../../../src/lab/frame-build.ts'
import { onesSum } from '../../../../../src/lib/internet-checksum.ts'

const L2 = { src: '02:00:00:00:00:0a', dst: '02:00:00:00:00:a1' }
const V4 = { src: '10.0.0.10', dst: '10.9.0.1' }
const V6 = { src: '2001:db8:5::a', dst: '2001:db8:9::1' }
const SOURCES4 = Buffer.concat([ip('10.5.0.1'), Buffer.from([24]), ip('10.0.0.1'), Buffer.from([24])])
const SOURCES6 = Buffer.concat([ip('2001:db8:5::1'), Buffer.from([64]), ip('fe80::a1'), Buffer.from([64])])

function said(
  frame: Buffer,
  fault: Fault = 'hop_limit',
  sources = frame.readUInt16BE(12) === 0x0800 ? SOURCES4 : SOURCES6,
): Buffer | undefined {
  return icmpError({ fault, frame, mtu: 1400, from: mac(L2.dst), to: mac(L2.src), sources })
}

const question = (l3: { src: string; dst: string }, bytes = 20): Buffer => udp(L2, l3, { src: 7, dst: 33434 }, Buffer.alloc(bytes, 0x61))

test('IPv4: from the address that is next to the sender, with the packet inside, and right checksums', (t) => {
  const error = said(question(V4, 1000))
  if (error === undefined) return t.fail()
  t.deepEqual(error.subarray(0, 14), Buffer.concat([mac(L2.src), mac(L2.dst), Buffer.from([8, 0])]))
  const header = error.subarray(14, 34)
  t.deepEqual([header.subarray(12, 16), header.subarray(16, 20)], [ip('10.0.0.1'), ip(V4.src)])
  t.is(onesSum(header), 0xffff)
  t.is(header.readUInt16BE(2), 576)
  t.is(error.length, 14 + 576)
  t.is(onesSum(error.subarray(34)), 0xffff)
  t.deepEqual([...error.subarray(34, 36)], [11, 0])
  t.deepEqual(error.subarray(42), question(V4, 1000).subarray(14, 14 + 548))
})

test('IPv6: the same, up to 1280 bytes', (t) => {
  const error = said(question(V6, 1400))
  if (error === undefined) return t.fail()
  const header = error.subarray(14, 54)
  t.deepEqual([header.subarray(8, 24), header.subarray(24, 40)], [ip('2001:db8:5::1'), ip(V6.src)])
  t.is(error.length, 14 + 1280)
  const pseudo = Buffer.concat([header.subarray(8), Buffer.from([0, 0, 1240 >> 8, 1240 & 255, 0, 0, 0, 58])])
  t.is(onesSum(error.subarray(54), onesSum(pseudo)), 0xffff)
  t.deepEqual([...error.subarray(54, 56)], [3, 0])
})

test('what each fault says, and how large a packet may be', (t) => {
  const types = (['hop_limit', 'too_big', 'no_route', 'no_neighbour', 'no_port'] as const).map((fault) => [
    ...(said(question(V4), fault)?.subarray(34, 36) ?? []),
    ...(said(question(V6), fault)?.subarray(54, 56) ?? []),
  ])
  t.deepEqual(types, [
    [11, 0, 3, 0],
    [3, 4, 2, 0],
    [3, 0, 1, 0],
    [3, 1, 1, 3],
    [3, 3, 1, 4],
  ])
  t.is(said(question(V4), 'too_big')?.readUInt16BE(40), 1400)
  t.is(said(question(V6), 'too_big')?.readUInt32BE(58), 1400)
})

/** The packet with one byte of its IP header, or behind it, made another. */
function altered(frame: Buffer, at: number, ...bytes: readonly number[]): Buffer {
  const out = Buffer.from(frame)
  Buffer.from(bytes).copy(out, 14 + at)
  return out
}

test('nobody is told of errors, later fragments, and packets from or to no single host', (t) => {
  const four = question(V4)
  const six = question(V6)
  const silent: Readonly<Record<string, Buffer | undefined>> = {
    'a later fragment': said(altered(four, 6, 0x00, 0x02)),
    'time exceeded': said(altered(altered(four, 9, 1), 20, 11)),
    unreachable: said(altered(altered(four, 9, 1), 20, 3)),
    'from a group': said(altered(four, 12, 224)),
    'from nobody': said(altered(four, 12, 0, 0, 0, 0)),
    'to a group': said(altered(four, 16, 239)),
    'to everybody': said(altered(four, 16, 255, 255, 255, 255)),
    'a pong to the router': said(altered(altered(four, 9, 1), 20, 0), 'no_port'),
    'no address of the family': said(four, 'hop_limit', Buffer.alloc(0)),
    'a later fragment of IPv6': said(altered(altered(six, 6, 44), 42, 0x00, 0x08)),
    'too big, of IPv6': said(altered(altered(six, 6, 58), 40, 2)),
    'a redirect of IPv6': said(altered(altered(six, 6, 58), 40, 137)),
    'from ::': said(altered(six, 8, ...new Array<number>(16).fill(0))),
    'to a group of IPv6': said(altered(six, 24, 0xff)),
    ARP: said(altered(four, -2, 0x08, 0x06)),
  }
  t.deepEqual(
    Object.entries(silent).filter(([, frame]) => frame !== undefined),
    [],
  )
  t.not(said(altered(altered(four, 9, 1), 20, 8)), undefined, 'a ping is told of')
  t.not(said(altered(altered(six, 6, 44), 42, 0, 1)), undefined, 'a first fragment is told of')
  t.deepEqual([...(said(altered(four, 9, 47), 'no_port')?.subarray(34, 36) ?? [])], [3, 2], 'GRE to the router: no such protocol')
})

test('whatever comes, it ends, and what it makes is whole', (t) => {
  const bytes = fc.uint8Array({ maxLength: 120 }).map((b) => Buffer.from(b))
  const header = fc.constantFrom(question(V4), question(V6), Buffer.from('0800', 'hex'), Buffer.alloc(0))
  fc.assert(
    fc.property(
      header,
      bytes,
      fc.integer({ min: 12, max: 70 }),
      fc.constantFrom<Fault>('hop_limit', 'too_big', 'no_port'),
      (start, b, at, fault) => {
        const frame = Buffer.concat([start.subarray(0, at), b])
        for (const sources of [SOURCES4, SOURCES6, b]) {
          const error = icmpError({ fault, frame, mtu: 1400, from: mac(L2.dst), to: mac(L2.src), sources })
          if (error !== undefined && error.readUInt16BE(12) === 0x0800) t.is(onesSum(error.subarray(14, 34)), 0xffff)
        }
      },
    ),
    { numRuns: 2000 },
  )
})
