import test from 'ava'
import fc from 'fast-check'
import { worlds } from './arbitrary.ts'
import { askAll, explain } from './matrix.ts'
import { load, type ReachHost, startHosts, stopHosts } from './switches.ts'

const LONG = process.env['NETLOOM_LONG'] !== undefined
const WORLDS = LONG ? 3000 : 240
let hosts: readonly ReachHost[] = []

test.before(async () => {
  hosts = await startHosts()
})

test.after.always(async () => {
  await stopHosts(hosts)
})

/** `FC_SEED` and `FC_PATH` of a failure repeat it. */
test('any world: what is written says who hears whom, and Open vSwitch says the same', async (t) => {
  t.timeout(LONG ? 3_600_000 : 240_000)
  let asked = 0
  let reaching = 0
  const begun = performance.now()
  const outcome = await fc.check(
    fc.asyncProperty(worlds, async (written) => {
      const loaded = await load(written, hosts)
      const matrix = await askAll(loaded)
      asked += matrix.asked
      reaching += matrix.reaching
      const [first] = matrix.wrong
      if (first !== undefined) throw new Error(explain(loaded, first))
    }),
    { numRuns: WORLDS, ...replay() },
  )
  if (outcome.failed) t.fail(`FC_SEED=${outcome.seed} FC_PATH=${outcome.counterexamplePath}\n${outcome.errorInstance}`)
  t.log(
    `${outcome.numRuns} worlds, ${asked} frames, ${reaching} of them delivered, in ${((performance.now() - begun) / 1000).toFixed(1)} s`,
  )
  t.true(reaching > asked / 20, 'the frames are worth asking about')
})

function replay(): { readonly seed?: number; readonly path?: string } {
  const { FC_SEED: seed, FC_PATH: path } = process.env
  return { ...(seed === undefined ? {} : { seed: Number(seed) }), ...(path === undefined ? {} : { path }) }
}
