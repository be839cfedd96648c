import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { flowKey, formatFlow } from '../../../../../agentd/backends/ovs/flow/format.ts'
import { parseFlow } from '../../../../../agentd/backends/ovs/flow/parse.ts'
import type { Flow } from '../../../../../agentd/backends/ovs/flow/types.ts'
import { ByteWriter } from '../../../../../agentd/backends/ovs/openflow/bytes.ts'
import { OpenFlowClient } from '../../../../../agentd/backends/ovs/openflow/client.ts'
import { putFlowMod, ROOM } from '../../../../../agentd/backends/ovs/openflow/flow-mod.ts'
import { readInstructions } from '../../../../../agentd/backends/ovs/openflow/read-actions.ts'
import { readMatch } from '../../../../../agentd/backends/ovs/openflow/read-oxm.ts'
import { anyFlow } from '../flow/arbitrary.ts'
import { type Switch, startSwitch } from '../switch.ts'
import { capture } from './capture.ts'

// ovs-ofctl and vswitchd are the oracles: what they take, print and send must equal our text, values and bytes.

const CASES = new URL('../../../../../../test/agentd/backends/ovs/flow/cases/', import.meta.url)
const linesOf = (name: string): string[] =>
  readFileSync(new URL(name, CASES), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
const RUNS = process.env['NETLOOM_LONG'] === '1' ? 20_000 : 1_500

/** The same sample in every test of a run; another one in each run. */
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const sample = fc.sample(anyFlow(), { numRuns: RUNS, seed })

let sw: Switch
let of: OpenFlowClient

test.before(async (t) => {
  t.log(`SEED=${seed}`)
  sw = await startSwitch()
  await sw.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev', 'fail_mode=secure')
  of = await OpenFlowClient.connect({ path: `${sw.rundir}/br0.mgmt` })
})

test.after.always(async () => {
  of?.close()
  await sw?.stop()
})

function bytesOf(flow: Flow): Buffer {
  const w = new ByteWriter(ROOM)
  putFlowMod(w, { command: 'add', flow }, 0)
  return w.done()
}

/** Where the match begins in a flow_mod. */
const MATCH = 48

test('parse(format(flow)) is the flow', (t) => {
  for (const flow of sample) t.deepEqual(parseFlow(formatFlow(flow)), flow, formatFlow(flow))
})

for (const [name, lines] of [
  ['flows with every field and action', linesOf('every.flows')],
  ["flows of another agent's bridges", linesOf('agent.flows')],
  ['generated flows', sample.map(formatFlow)],
] as const) {
  test(`bytes are those of ovs-ofctl, and are read back: ${name}`, async (t) => {
    const theirs = await capture('add-flows', lines)
    t.is(theirs.length, lines.length)
    for (const [i, line] of lines.entries()) {
      const flow = parseFlow(line)
      const bytes = theirs[i] ?? Buffer.alloc(0)
      t.is(bytesOf(flow).toString('hex'), bytes.toString('hex'), line)
      const { match, end } = readMatch(bytes, MATCH)
      t.is(formatFlow({ ...flow, match, actions: readInstructions(bytes, end, bytes.length) }), formatFlow(flow))
    }
  })
}

test.serial('what a bridge is given comes back: natively, and in the words of dump-flows', async (t) => {
  // Meters and groups must exist, conjunctions must be complete; both are tested elsewhere.
  const flows = new Map<string, Flow>()
  for (const flow of [...linesOf('agent.flows').map(parseFlow), ...sample]) {
    if (!flow.actions.some((a) => a.kind === 'conjunction')) flows.set(flowKey(flow), flow)
  }
  await of.applyBundle([...flows.values()].map((flow) => ({ command: 'add', flow })))
  const dump = await of.dumpFlows()
  t.deepEqual(dump.unreadable, [])
  const held = new Map(dump.flows.map(({ flow }) => [flowKey(flow), flow]))
  t.is(held.size, flows.size)
  for (const [key, flow] of flows) t.is(formatFlow(held.get(key) ?? flow), formatFlow(stored(flow)), key)

  const printed = (await sw.ofctl('-O', 'OpenFlow14', '--no-names', 'dump-flows', `${sw.rundir}/br0.mgmt`))
    .split('\n')
    .filter((l) => l.includes('actions='))
  t.is(printed.length, flows.size)
  for (const line of printed) {
    const flow = parseFlow(line)
    t.deepEqual(flow, held.get(flowKey(flow)), line)
    t.is(withoutCounters(line), formatFlow(flow))
  }
  await of.applyBundle([...flows.values()].map((flow) => ({ command: 'delete_strict', flow })))
  t.is((await of.aggregate()).flows, 0, 'what was added can be named to be deleted')
})

/** OVS keeps only the flags that matter after a flow was added. */
function stored(flow: Flow): Flow {
  return { ...flow, flags: flow.flags.filter((flag) => flag !== 'check_overlap') }
}

/** A line of dump-flows as `formatFlow` writes it: no counters, and always a priority. */
function withoutCounters(line: string): string {
  const bare = line.trim().replace(/(?:duration|n_packets|n_bytes|idle_age|hard_age)=[^,]*, /g, '')
  if (/[ ,]priority=/.test(bare)) return bare
  return bare.replace(
    /(^.*?)((?:[^\s=]+(?:=[^\s]*)?)? ?actions=)/,
    (_, head: string, rest: string) => `${head}priority=32768${rest.startsWith('actions=') ? ' ' : ','}${rest}`,
  )
}
