import test from 'ava'
import fc from 'fast-check'
import { Address4, Address6 } from 'ip-address'
import { canonicalPrefix, cidrContains, cidrSize, cidrsOverlap, formatCidr, parseCidr } from '../../src/lib/cidr.ts'
import { canonicalIp, formatIp, isLinkLocal6, isLoopbackIp, isMulticastIp, parseIp } from '../../src/lib/ip.ts'
import { canonicalMac, formatMac, isMulticastMac, linkLocalAddress, macValue, slaacAddress } from '../../src/lib/mac.ts'

test('addresses that other libraries misread are refused', (t) => {
  const refused = [
    '010.0.0.1',
    '10.1',
    '10.0.0',
    '10.0.0.256',
    '0x0a.0.0.1',
    ' 10.0.0.1',
    '10.0.0.1 ',
    '10.0.0.1/24',
    '',
    '1',
    '10.300.0.0',
  ]
  const refused6 = ['::1%eth0', '::1/64', '1::2::3', '1:2:3:4:5:6:7:8:9', ':1', '1:', '[::1]', '00001::', '::ffff:010.1.1.1', 'fd00::g']
  for (const text of [...refused, ...refused6]) t.is(parseIp(text), undefined, text)
})

test('canonical text is dotted decimal and RFC 5952', (t) => {
  const rows: [string, string][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['FD00:0:0:0:0:0:0:1', 'fd00::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['::ffff:102:304', '::ffff:1.2.3.4'],
  ]
  for (const [text, canonical] of rows) t.is(canonicalIp(text), canonical)
})

test('format and parse are inverse, and agree with the library', (t) => {
  const v4 = fc.bigInt({ min: 0n, max: (1n << 32n) - 1n })
  fc.assert(
    fc.property(v4, (value) => {
      const text = formatIp(4, value)
      t.deepEqual(parseIp(text), { family: 4, value })
      t.is(new Address4(text).bigInt(), value)
    }),
  )
  const group = fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 0xffffn }))
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const value = groups.reduce((n, g) => (n << 16n) | g, 0n)
      const text = formatIp(6, value)
      t.deepEqual(parseIp(text), { family: 6, value })
      if (value >> 32n !== 0xffffn) t.is(text, new Address6(text).correctForm())
    }),
  )
})

test('special addresses', (t) => {
  const is = (text: string): [boolean, boolean, boolean] => {
    const ip = parseIp(text)
    if (ip === undefined) throw new Error(text)
    return [isMulticastIp(ip), isLoopbackIp(ip), isLinkLocal6(ip)]
  }
  t.deepEqual(is('224.0.0.1'), [true, false, false])
  t.deepEqual(is('239.255.255.255'), [true, false, false])
  t.deepEqual(is('ff02::1'), [true, false, false])
  t.deepEqual(is('127.1.2.3'), [false, true, false])
  t.deepEqual(is('::1'), [false, true, false])
  t.deepEqual(is('febf::1'), [false, false, true])
  t.deepEqual(is('fec0::1'), [false, false, false])
})

test('prefixes need a mask, and know their host bits', (t) => {
  for (const text of [
    '10.9.0.0',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/',
    '/24',
    'fd00::/129',
    '10.0.0.0/-1',
    '1.2.3.256/24',
    '10.0.0.0/24/8',
  ]) {
    t.is(parseCidr(text), undefined, text)
  }
  const parsed = parseCidr('10.0.0.5/24')
  t.true(parsed?.hostBits)
  t.is(parsed && formatCidr(parsed.cidr), '10.0.0.0/24')
  t.is(parsed && cidrSize(parsed.cidr), 256n)
  t.false(parseCidr('fd00::/64')?.hostBits)
  t.is(canonicalPrefix('10.0.0.5'), '10.0.0.5/32')
  t.is(canonicalPrefix('::1'), '::1/128')
  t.is(canonicalPrefix('10.0.0.5/8'), '10.0.0.0/8')
  t.is(canonicalPrefix('10.0.0.5/40'), undefined)
})

test('containment and overlap', (t) => {
  const cidr = (text: string) => parseCidr(text)?.cidr ?? t.fail(text)
  const big = cidr('10.1.0.0/24')
  const half = cidr('10.1.0.128/25')
  const other = cidr('10.2.0.0/24')
  const six = cidr('::/0')
  if (!big || !half || !other || !six) return
  t.true(cidrsOverlap(big, half))
  t.false(cidrsOverlap(big, other))
  t.false(cidrsOverlap(big, six))
  t.true(cidrContains(big, { family: 4, value: 0x0a0100ffn }))
  t.false(cidrContains(big, { family: 6, value: 0x0a0100ffn }))
})

test('MAC spellings all become lower-case colons', (t) => {
  for (const text of ['00-11-22-33-44-55', '001122334455', '0:11:22:33:44:55', '00:11:22:33:44:55', '0011.2233.4455']) {
    t.is(canonicalMac(text), '00:11:22:33:44:55', text)
  }
  t.is(canonicalMac('0:1:2:3:4:5'), '00:01:02:03:04:05')
  t.is(canonicalMac('FA:16:3E:AB:CD:EF'), 'fa:16:3e:ab:cd:ef')
  for (const text of ['', '00:11:22:33:44', '00:11:22:33:44:5g', '00:11:22:33:44:55:66', '00:11-22:33:44:55', '00112233445']) {
    t.is(canonicalMac(text), undefined, text)
  }
  t.true(isMulticastMac('01:00:5e:00:00:01'))
  t.true(isMulticastMac('ff:ff:ff:ff:ff:ff'))
  t.false(isMulticastMac('fa:16:3e:00:00:01'))
  fc.assert(fc.property(fc.maxSafeNat(), (n) => t.is(macValue(formatMac(n % 2 ** 48)), n % 2 ** 48)))
})

test('EUI-64 and link-local, as Neutron computes them', (t) => {
  const prefix = parseCidr('fd00:1::/64')?.cidr
  if (prefix === undefined) return t.fail()
  t.is(formatIp(6, slaacAddress(prefix, 'fa:16:3e:f9:5e:85')), 'fd00:1::f816:3eff:fef9:5e85')
  t.is(formatIp(6, linkLocalAddress('fa:16:3e:f9:5e:85')), 'fe80::f816:3eff:fef9:5e85')
})
