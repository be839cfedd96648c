import type { ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { World } from '../../../src/server/engine/types.ts'
import { engine } from '../../support/world.ts'
import { type Edit, opsOf } from './arbitrary.ts'
import { plainWorld } from './plain.ts'

/* Laws of the engine for edits under which nobody wants what another has (`calm`). */

const DAY = 24 * 60 * 60 * 1000

type Calm = fc.Arbitrary<readonly Edit[]>
type Runs = { readonly numRuns: number }

export function splitDoesNotCount(t: ExecutionContext, calm: Calm, runs: Runs): void {
  fc.assert(
    fc.property(calm, fc.nat(5), (edits, parts) => {
      const ops = opsOf(edits)
      const whole = engine.step(engine.empty(), ops, { now: 0 }).world
      let split = engine.empty()
      for (let i = 0; i <= parts; i++)
        split = engine.step(split, { set: ops.set.filter((_, n) => n % (parts + 1) === i), del: [] }, { now: 0 }).world
      t.deepEqual(plainWorld(split), plainWorld(whole))
    }),
    runs,
  )
}

export function thereAndBack(t: ExecutionContext, calm: Calm, runs: Runs): void {
  fc.assert(
    fc.property(calm, calm, (first, second) => {
      const a = engine.step(engine.empty(), opsOf(first), { now: 0 }).world
      const b = engine.step(a, opsOf(second), { now: DAY }).world
      const del = [...b.declared.keys()].filter((k) => !a.declared.has(k))
      const back = engine.step(b, { set: [...a.declared.values()], del }, { now: 2 * DAY }).world
      const part = (world: World) => {
        const { resources, findings, scopes, needs } = plainWorld(world)
        return { resources, findings, scopes, needs }
      }
      t.deepEqual(part(back), part(a))
    }),
    runs,
  )
}

/** Also where ports want what others have: who takes a good change back is never refused. */
export function goodAgain(t: ExecutionContext, base: readonly Edit[], states: fc.Arbitrary<readonly Edit[]>, runs: Runs): void {
  let compared = 0
  fc.assert(
    fc.property(states, states, (first, second) => {
      const a = engine.step(engine.empty(), opsOf([...base, ...first]), { now: 0 }).world
      const b = engine.step(a, opsOf(second), { now: DAY }).world
      if (a.findings.size > 0 || b.findings.size > 0) return
      compared++
      const del = [...b.declared.keys()].filter((k) => !a.declared.has(k))
      const back = engine.step(b, { set: [...a.declared.values()], del }, { now: DAY }).world
      t.deepEqual([...back.findings], [])
    }),
    runs,
  )
  t.true(compared > runs.numRuns / 4, `${compared} comparisons`)
}
