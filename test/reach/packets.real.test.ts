import test from 'ava'
import fc from 'fast-check'
import { labSpecOf } from '../../src/cli/lab-spec.ts'
import type { ProbeKind } from '../../src/lab/probe.ts'
import { allPairs, describeWrong, proveAll } from '../../src/lab/prove.ts'
import { Rig } from '../faults/rig.ts'
import { build } from '../support/world.ts'
import { worlds } from './arbitrary.ts'
import { type Connection, familyOf, type IpBody } from './frame.ts'
import { expected } from './model.ts'
import { type Written, yamlOf } from './written.ts'

const LONG = process.env['NETLOOM_LONG'] !== undefined
const SITE = 'installation: reach\nguards: { delete_count: 1000, delete_ratio: 1 }\n'

/** Everything is up: the rig waits until every port says that it works. */
function upright(written: Written): Written {
  const up = <T extends { readonly admin_state_up?: boolean }>(all: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(all).map(([name, one]) => [name, { ...one, admin_state_up: true }]))
  return { ...written, networks: up(written.networks), ports: up(written.ports) }
}

/** As many ports as there are, on both hosts, and somebody hears somebody: else nothing is proved. */
function isWorthwhile(written: Written): boolean {
  const bound = Object.entries(written.ports).filter(([, p]) => p.host !== undefined)
  const heard = bound.flatMap(([from]) =>
    bound.filter(([to]) => to !== from && ['tcp', 'udp', 'ping'].some((k) => anyAddress(written, from, to, k as ProbeKind))),
  )
  return bound.length >= 4 && new Set(bound.map(([, p]) => p.host)).size === 2 && heard.length >= 3
}

function anyAddress(written: Written, from: string, to: string, kind: ProbeKind): boolean {
  return (written.ports[to]?.fixed_ips ?? []).some((f) => answers(written, { from, to, address: f.ip_address, kind }))
}

interface Probe {
  readonly from: string
  readonly to: string
  readonly address: string
  readonly kind: ProbeKind
}

/** The question is heard, and its answer is. */
function answers(written: Written, { from, to, address, kind }: Probe): boolean {
  const [asks, told] = [written.ports[from], written.ports[to]]
  const own = asks?.fixed_ips.map((f) => f.ip_address).find((ip) => familyOf(ip) === familyOf(address))
  if (asks === undefined || told === undefined || own === undefined || asks.network !== told.network) return false
  const way = (src: string, dst: string, connection: Connection, body: IpBody) => ({ src, dst, connection, body })
  const there = way(asks.mac_address, told.mac_address, 'new', { is: 'ip', from: own, to: address, ...body(kind, familyOf(own), false) })
  const back = way(told.mac_address, asks.mac_address, 'answer', { is: 'ip', from: address, to: own, ...body(kind, familyOf(own), true) })
  return expected(written, from, there).must.includes(to) && expected(written, to, back).must.includes(from)
}

/** The lab's guests listen on 7001; what asks has a port of its kernel's choice, and no rule of these worlds tells those apart. */
function body(kind: ProbeKind, family: 4 | 6, back: boolean): Omit<IpBody, 'is' | 'from' | 'to'> {
  if (kind !== 'ping')
    return { protocol: kind === 'tcp' ? 6 : 17, ...(back ? { sport: 7001, dport: 40_000 } : { sport: 40_000, dport: 7001 }) }
  const [protocol, ask, answer] = family === 4 ? [1, 8, 0] : [58, 128, 129]
  return { protocol, icmp: { type: back ? answer : ask, code: 0 } }
}

/** `FC_SEED` of a failure takes the same worlds again. */
test('a sample of worlds in the lab: real packets of every pair pass as the model says', async (t) => {
  t.timeout(LONG ? 1_800_000 : 240_000)
  const seed = Number(process.env['FC_SEED'] ?? Date.now() % 0x7fffffff)
  const sample = fc.sample(worlds.map(upright).filter(isWorthwhile), { numRuns: LONG ? 20 : 1, seed })
  for (const written of sample) {
    const rig = await Rig.up({ 'netloom.yaml': SITE, 'world.yaml': yamlOf(written) })
    try {
      const name = (key: string): string => key.split('/').at(-1) ?? key
      t.is(rig.lab.spec.guests.length, labSpecOf(build(yamlOf(written))).guests.length)
      const pairs = allPairs(rig.lab, (from, to) => (address, kind) => answers(written, { from: name(from), to: name(to), address, kind }))
      const proof = await proveAll(rig.lab, pairs)
      t.log(proof.summary)
      t.deepEqual(describeWrong(proof), [], `FC_SEED=${seed}\n${yamlOf(written)}`)
      t.true(proof.results.some((r) => r.expected))
    } finally {
      await rig.close()
    }
  }
})
