import test from 'ava'
import { readHeaders } from '../../../../../agentd/backends/ovs/driver/headers.ts'
import { echo, ethernet, tagged, udp } from '../../../../../src/lab/frame-build.ts'

const L2 = { src: 'fa:16:3e:00:00:0b', dst: 'fa:16:3e:00:00:0c' }
const MACS = { src_mac: L2.src, dst_mac: L2.dst }
const V4 = { src: '10.0.0.5', dst: '10.0.0.9' }
const V6 = { src: 'fd00:10::5', dst: 'fd00:10::9' }

test('addresses, ports, ICMP type and code, of both versions, with a tag and without', (t) => {
  const datagram = udp(L2, V4, { src: 41234, dst: 5432 }, Buffer.from('x'))
  const of4 = { ethertype: 'IPv4', protocol: 17, ...V4, src_port: 41234, dst_port: 5432, ...MACS }
  t.deepEqual(readHeaders(datagram), of4 as never)
  t.deepEqual(readHeaders(tagged(datagram, 7)), of4 as never)
  t.deepEqual(readHeaders(echo(L2, V4)), { ethertype: 'IPv4', protocol: 1, ...V4, icmp_type: 8, icmp_code: 0, ...MACS })
  t.deepEqual(readHeaders(echo(L2, V6)), { ethertype: 'IPv6', protocol: 58, ...V6, icmp_type: 128, icmp_code: 0, ...MACS })
  t.like(readHeaders(udp(L2, V6, { src: 1, dst: 2 }, Buffer.from('x'))), { protocol: 17, src_port: 1, dst_port: 2 })
})

test('IPv6 headers that others follow are passed over; later fragments have no ports', (t) => {
  const whole = udp(L2, V6, { src: 1, dst: 2 }, Buffer.from('x'))
  const head = Buffer.from(whole.subarray(14, 54))
  const rest = whole.subarray(54)
  const with_ = (next: number, header: readonly number[]): Buffer => {
    const h = Buffer.from(head)
    h.writeUInt8(next, 6)
    return ethernet(L2, 0x86dd, Buffer.concat([h, Buffer.from(header), rest]))
  }
  t.like(readHeaders(with_(60, [17, 0, 1, 4, 0, 0, 0, 0])), { protocol: 17, src_port: 1 })
  t.like(readHeaders(with_(44, [17, 0, 0, 1, 0, 0, 0, 9])), { protocol: 17, src_port: 1 }, 'a first fragment')
  const later = readHeaders(with_(44, [17, 0, 0, 8, 0, 0, 0, 9]))
  t.is(later?.protocol, 17)
  t.is(later?.src_port, undefined)
})

test('what is cut: what is there; no IP: nothing', (t) => {
  const frame = udp(L2, V4, { src: 1, dst: 2 }, Buffer.from('x'))
  t.like(readHeaders(frame.subarray(0, 34)), { protocol: 17, src: V4.src })
  t.is(readHeaders(frame.subarray(0, 34))?.src_port, undefined)
  for (let length = 0; length < 34; length++) t.is(readHeaders(frame.subarray(0, length)), undefined)
  t.is(readHeaders(ethernet(L2, 0x0806, Buffer.alloc(28))), undefined)
})
