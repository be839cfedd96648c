import test from 'ava'
import { FLOW_FAULTS, INTENT_FAULTS } from './faults.ts'
import { FIXED } from './fixed.ts'
import { askAll, explain } from './matrix.ts'
import { type Fault, type Loaded, load, type ReachHost, startHosts, stopHosts } from './switches.ts'

let hosts: readonly ReachHost[] = []
/** What the fixed worlds are without a fault. */
const sound = new Map<string, Loaded>()

test.before(async () => {
  hosts = await startHosts()
})

test.after.always(async () => {
  await stopHosts(hosts)
})

test.serial('the fixed worlds are as their YAML says', async (t) => {
  for (const [name, written] of Object.entries(FIXED)) {
    const loaded = await load(written, hosts)
    const { asked, reaching, wrong } = await askAll(loaded)
    t.deepEqual(
      wrong.map((w) => explain(loaded, w)),
      [],
    )
    t.log(`${name}: ${asked} frames, ${reaching} delivered`)
    sound.set(name, loaded)
  }
})

/** Where the fault changes any flow, the matrix must tell. */
async function caught(fault: Fault): Promise<string | undefined> {
  let planted = false
  for (const [name, written] of Object.entries(FIXED)) {
    const loaded = await load(written, hosts, fault)
    if (flowsOf(loaded) === flowsOf(sound.get(name))) continue
    planted = true
    const [first] = (await askAll(loaded)).wrong
    if (first !== undefined) return undefined
  }
  return planted ? 'is not noticed' : 'changes no flow'
}

function flowsOf(loaded: Loaded | undefined): string {
  return [...(loaded?.hosts.values() ?? [])].map((h) => h.flows.join('\n')).join('\n\n')
}

test.serial('every planted fault is seen', async (t) => {
  t.timeout(240_000)
  const faults = Object.entries({ ...FLOW_FAULTS, ...INTENT_FAULTS })
  const survivors: string[] = []
  for (const [name, fault] of faults) {
    const why = await caught(fault)
    if (why !== undefined) survivors.push(`${name}: ${why}`)
  }
  t.log(`${faults.length} faults: ${faults.map(([name]) => name).join('; ')}`)
  t.deepEqual(survivors, [])
  t.true(faults.length >= 30)
})
