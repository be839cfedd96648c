import test from 'ava'
import fc from 'fast-check'
import { applyDelta, EMPTY_SCOPE, type HeldScope } from '../../../agentd/northbound/held.ts'
import { setDigest } from '../../../src/lib/digest.ts'
import type { Scope } from '../../../src/model/scope.ts'
import {
  admitWorld,
  EMPTY_LEDGER,
  KEPT_REVISIONS,
  knownHosts,
  type Ledger,
  type LedgerWorld,
  moveTargets,
  needsOf,
  rememberHosts,
} from '../../../src/server/hub/ledger.ts'
import { deltaBetween, publications } from '../../../src/server/hub/publication.ts'
import { decodePublished } from '../../../src/wire/codec.ts'
import { MAX_PUBLISHED_DELTA } from '../../../src/wire/messages.ts'
import { nextWorld, type Sketch, world } from './worlds.ts'

const HOSTS = ['h1', 'h2', 'h3']
const SCOPES = ['fabric', 'net/a', 'net/b', 'net/c', 'host/h1']

const sketch: fc.Arbitrary<Sketch> = fc.dictionary(
  fc.constantFrom(...SCOPES),
  fc.dictionary(fc.constantFrom('p1', 'p2', 'p3', 'p4'), fc.nat(3), { noNullPrototype: true }),
  { noNullPrototype: true },
)
const needs = fc.dictionary(fc.constantFrom(...HOSTS), fc.subarray(SCOPES), { noNullPrototype: true })

function publish(ledger: Ledger, revision: number, next: LedgerWorld, hosts?: Iterable<string>): ReturnType<typeof moveTargets> {
  const admitted = admitWorld(ledger, revision, next)
  return moveTargets(admitted, hosts ?? knownHosts(admitted, revision), revision)
}

test('whatever the worlds and whoever is moved where: digests are those of the needs, and only changed hosts get a message', (t) => {
  const step = fc.record({ sketch, needs, hosts: fc.option(fc.subarray(HOSTS)), back: fc.option(fc.nat(5)) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      let ledger: Ledger = EMPTY_LEDGER
      let current = world({}, {})
      for (const [i, s] of steps.entries()) {
        const before = ledger
        current = nextWorld(current, s.sketch, s.needs)
        const revision = i + 1
        let moved = publish(ledger, revision, current, s.hosts ?? undefined)
        if (s.back !== null && s.back > 0 && s.back <= revision) moved = moveTargets(moved.ledger, s.hosts ?? [], s.back)
        ledger = moved.ledger
        for (const [host, target] of ledger.targets) {
          const now = needsOf(ledger.worlds.get(target.revision) ?? world({}, {}), host)
          t.is(target.digest, setDigest(Object.entries(now)))
        }
        if (s.back !== null) continue
        const changed = moved.moves.map((m) => m.host).sort()
        const differing = [...ledger.targets.keys()].filter(
          (h) => ledger.targets.get(h)?.digest !== (before.targets.get(h)?.digest ?? '0'.repeat(32)),
        )
        t.deepEqual(changed, differing.sort())
      }
    }),
    { numRuns: 200 },
  )
})

test('a delta turns one state of a scope into the other, and says so with its versions', (t) => {
  const content = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(2), { noNullPrototype: true })
  fc.assert(
    fc.property(content, content, (a, b) => {
      const first = world({ s: a }, {})
      const before = first.scopes.get('s' as Scope)
      const after = nextWorld(first, { s: b }).scopes.get('s' as Scope)
      const held: HeldScope = { version: before?.version ?? EMPTY_SCOPE.version, intents: new Map(before?.intents) }
      const delta = deltaBetween('s' as Scope, before, after, 100)
      const applied = delta === undefined ? undefined : applyDelta(held, JSON.parse(JSON.stringify(delta)))
      t.is(applied?.version, after?.version)
      t.deepEqual(new Map([...(applied?.intents ?? [])].sort()), new Map([...(after?.intents ?? [])].sort()))
    }),
  )
})

test('one frame serves all hosts; a host without a changed scope gets no message and is at the new revision all the same', (t) => {
  const w1 = world(
    { fabric: { e: 1 }, 'net/a': { p: 1 }, 'net/b': { q: 1 } },
    { h1: ['fabric', 'net/a'], h2: ['fabric', 'net/a'], h3: ['fabric', 'net/b'] },
  )
  const first = publish(EMPTY_LEDGER, 1, w1)
  const second = publish(first.ledger, 2, nextWorld(w1, { 'net/a': { p: 1, r: 2 } }))
  const messages = [...publications('epoch', second.moves)]
  t.deepEqual(second.moves.map((m) => m.host).sort(), ['h1', 'h2'])
  t.is(messages[0]?.[2], messages[1]?.[2])
  t.is(messages[0]?.[0], 'host/h1/')
  t.is(second.ledger.targets.get('h3')?.revision, 2)
  const decoded = decodePublished((messages[0] ?? []).map((f) => Buffer.from(f)))
  t.true(
    decoded.ok &&
      decoded.message.type === 'update' &&
      decoded.message.header.deltas.length === 1 &&
      Object.keys(decoded.message.deltas[0]?.set ?? {}).length === 1,
  )
})

test('a delta that is too large is left out; the header still names the scope', (t) => {
  const many = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`p${i}`, i]))
  const { moves } = publish(EMPTY_LEDGER, 1, world({ 'net/a': many, 'net/b': { p: 1 } }, { h1: ['net/a', 'net/b'] }))
  const [message] = [...publications('epoch', moves)]
  const decoded = decodePublished((message ?? []).map((f) => Buffer.from(f)))
  if (!decoded.ok || decoded.message.type !== 'update') return t.fail()
  t.deepEqual(
    decoded.message.header.deltas.map((d) => d.scope as string),
    ['net/b'],
  )
  t.deepEqual(Object.keys(decoded.message.header.needs).sort(), ['net/a', 'net/b'])
  t.true((message ?? []).every((frame) => frame.length <= MAX_PUBLISHED_DELTA))
})

test('the last hundred revisions are kept, and one that is a target for as long as it is', (t) => {
  let current = world({ fabric: { e: 0 } }, { h1: ['fabric'], h2: ['fabric'] })
  let { ledger } = publish(EMPTY_LEDGER, 1, current)
  for (let r = 2; r <= 300; r++) {
    current = nextWorld(current, { fabric: { e: r } })
    ledger = publish(ledger, r, current, ['h2']).ledger
  }
  t.deepEqual(
    [ledger.worlds.size, ledger.worlds.has(1), ledger.worlds.has(2), ledger.worlds.has(201)],
    [KEPT_REVISIONS + 1, true, false, true],
  )
  ledger = publish(ledger, 301, current).ledger
  ledger = publish(ledger, 302, current).ledger
  t.false(ledger.worlds.has(1))
})

test('a host that left the repo is told to hold nothing, also one remembered from an earlier life', (t) => {
  const w1 = world({ fabric: { e: 1 } }, { h1: ['fabric'], h2: ['fabric'] })
  const first = publish(rememberHosts(EMPTY_LEDGER, ['h1', 'gone']), 1, w1)
  t.deepEqual(needsOf(first.ledger.worlds.get(1) ?? w1, 'gone'), Object.create(null))
  t.is(first.ledger.targets.get('gone')?.revision, 1)
  const left: LedgerWorld = { scopes: w1.scopes, needs: w1.needs.delete('h2') }
  const second = publish(first.ledger, 2, left)
  t.deepEqual(
    second.moves.map((m) => [m.host, Object.keys(needsOf(m.world, m.host)).length]),
    [['h2', 0]],
  )
})
