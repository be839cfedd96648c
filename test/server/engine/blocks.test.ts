import test from 'ava'
import type { Key } from '../../../src/model/key.ts'
import { issuesOf } from '../../../src/server/engine/issues.ts'
import type { World } from '../../../src/server/engine/types.ts'
import { build, engine, findingsOf, spec, write } from '../../support/world.ts'
import { plainWorld } from './plain.ts'

const DAY = 24 * 60 * 60 * 1000

/** The world after a document; it must be what a full recompute gives, too. */
function next(world: World, yaml: string, options: { readonly del?: readonly string[]; readonly day?: number } = {}): World {
  const { declared, findings } = write(yaml)
  if (findings.length > 0) throw new Error(findings.join('\n'))
  const now = (options.day ?? 0) * DAY
  const after = engine.step(world, { set: declared, del: (options.del ?? []) as Key[] }, { now }).world
  if (JSON.stringify(plainWorld(engine.rebuild(after.declared.values(), after.allocations, { now }))) !== JSON.stringify(plainWorld(after)))
    throw new Error('a full recompute gives another world')
  return after
}

const cidr = (world: World, subnet: string): unknown => spec(world, 'subnet', subnet)?.['cidr']

const NETWORKS = 'networks: { n1: {}, n2: {}, n3: {}, n4: {}, n5: {} }\n'
const pool = (prefixes: string, more = 'default_prefixlen: 26'): string => `subnetpools: { p: { prefixes: [${prefixes}], ${more} } }\n`
const subnets = (...texts: readonly string[]): string =>
  `subnets: { ${texts.map((text, i) => `s${i + 1}: { network: n${i + 1}, subnetpool: p, ${text} }`).join(', ')} }\n`

test('a deleted subnet’s block stays reserved for 30 days, and comes back', (t) => {
  const before = build(NETWORKS + pool('10.0.0.0/24') + subnets('', ''))
  const gone = next(before, '', { del: ['subnet/default/s1'], day: 1 })
  t.like(
    [...gone.allocations.held.values()].find((h) => h.owner === 'subnet/default/s1'),
    { pool: 'cidr:subnetpool/default/p', value: cidr(before, 's1'), source: 'reserved', releasedAt: DAY },
  )
  const others = next(gone, 'subnets: { s3: { network: n3, subnetpool: p }, s4: { network: n4, subnetpool: p } }', { day: 2 })
  t.deepEqual(findingsOf(others), [])
  t.false(['s3', 's4'].some((s) => cidr(others, s) === cidr(before, 's1')))
  t.is(cidr(next(others, 'subnets: { s1: { network: n1, subnetpool: p } }', { day: 29 }), 's1'), cidr(before, 's1'))
})

test('a full pool takes the blocks that are reserved the longest, several small ones for a large one too', (t) => {
  const full = build(
    NETWORKS + pool('10.0.0.0/24') + subnets('cidr: 10.0.0.0/25', 'prefixlen: 27', 'prefixlen: 27', 'prefixlen: 27', 'prefixlen: 27'),
  )
  t.deepEqual(findingsOf(full), [])
  const two = ['s2', 's3'].sort((a, b) => (String(cidr(full, a)) < String(cidr(full, b)) ? -1 : 1))
  const later = ['s2', 's3', 's4', 's5'].reduce((w, s, i) => next(w, '', { del: [`subnet/default/${s}`], day: i + 1 }), full)
  t.true(two.length === 2)
  const taken = next(later, 'subnets: { x: { network: n2, subnetpool: p, prefixlen: 27 } }', { day: 10 })
  t.is(cidr(taken, 'x'), cidr(full, 's2'))
  const large = next(later, 'subnets: { x: { network: n2, subnetpool: p, prefixlen: 25 } }', { day: 10 })
  t.is(cidr(large, 'x'), '10.0.0.128/25')
  t.false([...large.allocations.held.values()].some((h) => h.source === 'reserved'))
})

test('a large reserved block gives way as a whole, a lapsed one at once', (t) => {
  const gone = next(build(NETWORKS + pool('10.0.0.0/24') + subnets('prefixlen: 24')), '', { del: ['subnet/default/s1'], day: 0 })
  const small = next(gone, 'subnets: { x: { network: n2, subnetpool: p, prefixlen: 26 } }', { day: 1 })
  t.is(cidr(small, 'x'), '10.0.0.0/26', 'the lowest of what was reserved')
  t.is(small.allocations.byOwner.get('subnet/default/s1' as Key), undefined)
  const lapsed = next(gone, 'subnets: { x: { network: n2, subnetpool: p, prefixlen: 26 } }', { day: 30 })
  const fresh = build(`${NETWORKS + pool('10.0.0.0/24')}subnets: { x: { network: n2, subnetpool: p, prefixlen: 26 } }`)
  t.is(cidr(lapsed, 'x'), cidr(fresh, 'x'), 'as if it had never been')
})

test('another length is another block, and the way back leads to the first', (t) => {
  const a = build(NETWORKS + pool('10.0.0.0/16') + subnets('prefixlen: 24'))
  const b = next(a, subnets('prefixlen: 26'), { day: 1 })
  t.not(cidr(b, 's1'), cidr(a, 's1'))
  t.is(cidr(next(b, subnets('prefixlen: 24'), { day: 2 }), 's1'), cidr(a, 's1'))
})

test('a subnet that fills its pool can become smaller', (t) => {
  const a = build(NETWORKS + pool('10.0.0.0/24') + subnets('prefixlen: 24'))
  const b = next(a, subnets('prefixlen: 26'))
  t.deepEqual(findingsOf(b), [])
  t.is(cidr(b, 's1'), '10.0.0.0/26')
})

test('a new default length of the pool re-creates nobody', (t) => {
  const a = build(NETWORKS + pool('10.0.0.0/16', 'default_prefixlen: 24') + subnets('', ''))
  const b = next(a, `${pool('10.0.0.0/16', 'default_prefixlen: 27')}subnets: { s3: { network: n3, subnetpool: p } }`)
  t.deepEqual([cidr(b, 's1'), cidr(b, 's2')], [cidr(a, 's1'), cidr(a, 's2')])
  t.regex(String(cidr(b, 's3')), /\/27$/)
})

test('a written block comes first; a line that goes leaves the block where it was', (t) => {
  const chosen = String(cidr(build(NETWORKS + pool('10.0.0.0/24') + subnets('')), 's1'))
  const together = build(NETWORKS + pool('10.0.0.0/24') + subnets('', `cidr: ${chosen}`))
  t.deepEqual(findingsOf(together), [])
  t.is(cidr(together, 's2'), chosen)
  t.not(cidr(together, 's1'), chosen)
  t.is(cidr(next(together, subnets('', '')), 's2'), chosen)
})

test('who has a block keeps it: a larger one written around it is told whose it is', (t) => {
  const a = build(NETWORKS + pool('10.0.0.0/24') + subnets(''))
  const b = next(a, subnets('', 'cidr: 10.0.0.0/24'))
  t.deepEqual(findingsOf(b), [
    `E0261 subnet s2 cidr: 10.0.0.0/24 of subnetpool p is in use: subnet s1 got ${cidr(a, 's1')} automatically (subnet/default/s1: subnet s1 got ${cidr(a, 's1')} automatically) → write another block of the pool, or leave it out to get a free one`,
  ])
  t.deepEqual(findingsOf(next(b, '', { del: ['subnet/default/s1'] })), [], 'it is had as soon as nobody is in the way')
})

test('two subnets swap their written blocks in one change', (t) => {
  const a = build(NETWORKS + pool('10.0.0.0/24') + subnets('cidr: 10.0.0.0/25', 'cidr: 10.0.0.128/26'))
  const b = next(a, subnets('cidr: 10.0.0.128/26', 'cidr: 10.0.0.0/25'))
  t.deepEqual(findingsOf(b), [])
  t.deepEqual([cidr(b, 's1'), cidr(b, 's2')], ['10.0.0.128/26', '10.0.0.0/25'])
})

test('a prefix goes only when nobody uses it: every user is named', (t) => {
  const a = build(NETWORKS + pool('10.0.0.0/24') + subnets('', 'cidr: 10.0.0.0/26'))
  const b = next(a, pool('10.9.0.0/24'))
  t.deepEqual(findingsOf(b), [
    `E0260 subnet s2 cidr: 10.0.0.0/26 is not within subnetpool p (10.9.0.0/24) (subnetpool/default/p prefixes: subnetpool p) → write a block of the pool, or add its prefix to the pool`,
    `E0264 subnet s1 subnetpool: subnet s1 has ${cidr(a, 's1')} from subnetpool p, whose prefixes no longer hold it (10.9.0.0/24) (subnetpool/default/p prefixes: the prefixes of subnetpool p) → put the prefix back, or remove the subnet first: a prefix can go when nobody uses it`,
  ])
  const back = next(b, pool('10.0.0.0/23'))
  t.deepEqual(findingsOf(back), [])
  t.deepEqual([cidr(back, 's1'), cidr(back, 's2')], [cidr(a, 's1'), cidr(a, 's2')])
  const later = next(next(a, '', { del: ['subnet/default/s1', 'subnet/default/s2'] }), pool('10.9.0.0/24'))
  const again = next(later, subnets(''))
  t.deepEqual(findingsOf(again), [], 'what is only reserved holds no prefix')
  t.regex(String(cidr(again, 's1')), /^10\.9\.0\./)
})

test('a pool that goes while subnets use it is told on the subnets’ lines', (t) => {
  const a = build(NETWORKS + pool('10.0.0.0/24') + subnets(''))
  const b = next(a, '', { del: ['subnetpool/default/p'] })
  t.deepEqual(
    issuesOf(b, () => undefined, a).map((i) => `${i.code} ${i.message} → ${i.hint}`),
    ['E0311 subnet s1 still uses subnetpool p, which this change removes → remove subnet s1 too, or keep subnetpool p'],
  )
})

test('a default pool that moves takes its subnets along, and brings them back', (t) => {
  const two = (first: boolean): string =>
    `subnetpools: { p: { prefixes: [10.0.0.0/24], default_prefixlen: 26, is_default: ${first} }, q: { prefixes: [10.9.0.0/24], default_prefixlen: 26, is_default: ${!first} } }\n`
  const a = build(`${NETWORKS}${two(true)}subnets: { s1: { network: n1, use_default_subnetpool: true, ip_version: 4 } }`)
  const b = next(a, two(false))
  t.deepEqual(findingsOf(b), [])
  t.like(spec(b, 'subnet', 's1'), { subnetpool: 'q' })
  t.regex(String(cidr(b, 's1')), /^10\.9\.0\./)
  t.is(cidr(next(b, two(true)), 's1'), cidr(a, 's1'))
})

test('who finds no room tells what is in use by now, and gets a block as soon as there is one', (t) => {
  const full = build(NETWORKS + pool('10.0.0.0/26', 'default_prefixlen: 27') + subnets('', '', 'prefixlen: 26'))
  t.regex(String(findingsOf(full)), /^E0262 subnet s3 .*: 64 of 64 addresses in use by subnet s1 and subnet s2; nothing is free/)
  const half = next(full, '', { del: ['subnet/default/s2'] })
  t.regex(String(findingsOf(half)), /32 of 64 addresses in use by subnet s1; the largest free block is a \/27/)
  const empty = next(half, '', { del: ['subnet/default/s1'] })
  t.deepEqual(findingsOf(empty), [])
  t.is(cidr(empty, 's3'), '10.0.0.0/26')
})

test('one project’s blocks lie together, and leave room for large ones', (t) => {
  const names = Array.from({ length: 250 }, (_, i) => `x${i}`)
  const many = build(
    `networks: { ${names.map((n) => `${n}: {}`).join(', ')} }\nsubnetpools: { p: { prefixes: [10.0.0.0/8], default_prefixlen: 24 } }\nsubnets: { ${names.map((n) => `${n}: { network: ${n}, subnetpool: p }`).join(', ')} }`,
  )
  t.deepEqual(findingsOf(many), [])
  t.is(new Set(names.map((n) => String(cidr(many, n)).split('.').slice(0, 2).join('.'))).size, 1)
})
