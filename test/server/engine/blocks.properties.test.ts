import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { cidrsOverlap, parseCidr } from '../../../src/lib/cidr.ts'
import { namedKey } from '../../../src/model/key.ts'
import type { World } from '../../../src/server/engine/types.ts'
import { engine } from '../../support/world.ts'
import { type Edit, opsOf } from './arbitrary.ts'
import { anyBlockEdit, calmOf, START } from './block-edits.ts'
import { splitDoesNotCount, thereAndBack } from './laws.ts'
import { plainWorld } from './plain.ts'

const long = process.env['NETLOOM_LONG'] === '1'
const runs = (count: number): { readonly numRuns: number } => ({ numRuns: long ? count * 40 : count })
const DAY = 24 * 60 * 60 * 1000

interface Round {
  readonly edits: readonly Edit[]
  readonly days: number
}
const round: fc.Arbitrary<Round> = fc.record({
  edits: fc.array(anyBlockEdit, { minLength: 1, maxLength: 6 }),
  days: fc.constantFrom(0, 1, 20, 40),
})
const rounds = fc.array(round, { minLength: 4, maxLength: 12 })

/** Every world of a sequence, the one before it, and when it is. */
function* worldsOf(sequence: readonly Round[]): Iterable<{ readonly before: World; readonly world: World; readonly now: number }> {
  let before = engine.step(engine.empty(), opsOf(START), { now: 0 }).world
  let now = 0
  for (const { edits, days } of sequence) {
    now += days * DAY
    const { world } = engine.step(before, opsOf(edits), { now })
    yield { before, world, now }
    before = world
  }
}

test('step by step equals a full recompute, its bookkeeping included', (t) => {
  fc.assert(
    fc.property(rounds, (sequence) => {
      for (const { world, now } of worldsOf(sequence))
        t.deepEqual(plainWorld(engine.rebuild(world.declared.values(), world.allocations, { now })), plainWorld(world))
    }),
    runs(150),
  )
})

/** No two blocks of a pool overlap, reserved ones included; nor do the subnets of a pool; and a subnet has the block that is held for it. */
function assertApart(t: ExecutionContext, world: World): void {
  const held = [...world.allocations.held.values()].filter((h) => h.pool.startsWith('cidr:'))
  assertDisjoint(
    t,
    held.map((h) => [h.pool, h.value]),
  )
  const used: [string, string][] = []
  for (const { key, kind, project, spec } of world.resources.values()) {
    if (kind !== 'subnet' || spec['subnetpool'] === undefined) continue
    const pool = namedKey('subnetpool', project, String(spec['subnetpool']))
    used.push([pool, String(spec['cidr'])])
    const holding = held.find((h) => h.owner === key && h.value === spec['cidr'] && h.pool === `cidr:${pool}`)
    t.true(holding !== undefined && holding.source !== 'reserved', key)
  }
  assertDisjoint(t, used)
}

function assertDisjoint(t: ExecutionContext, blocks: readonly (readonly [string, string])[]): void {
  blocks.forEach(([pool, value], i) => {
    for (const [other, text] of blocks.slice(i + 1)) {
      const a = parseCidr(value)?.cidr
      const b = parseCidr(text)?.cidr
      t.false(pool === other && a !== undefined && b !== undefined && cidrsOverlap(a, b), `${pool}: ${value} and ${text}`)
    }
  })
}

test('blocks of a pool never overlap, and no subnet is without its own', (t) => {
  fc.assert(
    fc.property(rounds, (sequence) => {
      for (const { world } of worldsOf(sequence)) assertApart(t, world)
    }),
    runs(100),
  )
})

test('subnets of one network never overlap, whatever they come from', (t) => {
  fc.assert(
    fc.property(rounds, (sequence) => {
      for (const { world } of worldsOf(sequence)) {
        const used: [string, string][] = []
        for (const { kind, spec } of world.resources.values())
          if (kind === 'subnet') used.push([String(spec['network']), String(spec['cidr'])])
        assertDisjoint(t, used)
      }
    }),
    runs(100),
  )
})

test('a subnet keeps its block while it, its pool and the default stay as they are', (t) => {
  fc.assert(
    fc.property(rounds, (sequence) => {
      for (const { before, world } of worldsOf(sequence)) {
        for (const [key, old] of before.resources) {
          const now = world.resources.get(key)
          if (old.kind !== 'subnet' || now === undefined || before.declared.get(key) !== world.declared.get(key)) continue
          if (old.spec['subnetpool'] !== now.spec['subnetpool']) continue
          const length = (text: unknown): string | undefined => String(text).split('/')[1]
          // The pool's default length is read, too.
          if (length(old.spec['cidr']) === length(now.spec['cidr'])) t.is(now.spec['cidr'], old.spec['cidr'], key)
        }
      }
    }),
    runs(100),
  )
})

test('the order in which resources come does not count', (t) => {
  fc.assert(
    fc.property(fc.array(anyBlockEdit, { maxLength: 25 }), fc.infiniteStream(fc.nat()), (edits, random) => {
      const ops = opsOf([...START, ...edits])
      const shuffled = [...ops.set].map((d) => ({ d, at: random.next().value as number })).sort((a, b) => a.at - b.at)
      const one = engine.step(engine.empty(), ops, { now: 0 }).world
      const other = engine.step(engine.empty(), { set: shuffled.map((s) => s.d), del: [] }, { now: 0 }).world
      t.deepEqual(plainWorld(one), plainWorld(other))
    }),
    runs(80),
  )
})

const calm = fc.array(anyBlockEdit, { maxLength: 30 }).map(calmOf)

test('the split of the ops does not count, where nobody wants what another has', (t) => {
  splitDoesNotCount(t, calm, runs(60))
})

test('A → B → A is A: values, scopes and needs', (t) => {
  thereAndBack(t, calm, runs(100))
})

test('the sequences reach what they are for: blocks that are chosen, written, reserved, refused, and pools that are full', (t) => {
  const seen = new Map<string, number>()
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1)
  for (const sequence of fc.sample(rounds, { numRuns: 400, seed: 1 })) {
    for (const { world } of worldsOf(sequence)) {
      for (const { pool, source } of world.allocations.held.values()) if (pool.startsWith('cidr:')) count(source)
      for (const findings of world.findings.values()) for (const { code } of findings) count(code)
    }
  }
  for (const what of ['auto', 'explicit', 'reserved', 'E0256', 'E0258', 'E0259', 'E0260', 'E0261', 'E0262', 'E0263', 'E0264'])
    t.true((seen.get(what) ?? 0) > 10, `${what}: ${seen.get(what)}`)
})
