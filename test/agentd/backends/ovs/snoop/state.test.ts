import test from 'ava'
import type { SnoopedNetwork } from '../../../../../agentd/backends/ovs/compile/snoop.ts'
import { formatFlow } from '../../../../../agentd/backends/ovs/flow/format.ts'
import type { Said } from '../../../../../agentd/backends/ovs/snoop/messages.ts'
import {
  ASKED_PER_SECOND,
  count,
  flowsOf,
  follow,
  GROUPS_PER_NETWORK,
  GROUPS_PER_PORT,
  HEARD_PER_SECOND,
  hear,
  isFiltering,
  newState,
  type SnoopState,
  tick,
} from '../../../../../agentd/backends/ovs/snoop/state.ts'
import { makeKey } from '../../../../../src/model/key.ts'

const OWNER = makeKey('network', 'default', 'blue')
const A = 0x1000_0001
const B = 0x1000_0002
const GROUP = '239.1.2.3'
const BASE: SnoopedNetwork = {
  domain: OWNER,
  owner: OWNER,
  number: 7,
  ports: new Map([
    [A, 1],
    [B, 2],
  ]),
  querier: true,
  query_interval: 125,
}

const wants = (...groups: readonly string[]): Said => ({ kind: 'report', family: 4, wants: groups, leaves: [] })
const leaves = (...groups: readonly string[]): Said => ({ kind: 'report', family: 4, wants: [], leaves: groups })
const QUERY: Said = { kind: 'query', family: 4, routed: true }

/** Lets time pass in steps of a second; the seconds at which a question was due. */
function pass(state: SnoopState, from: number, to: number): number[] {
  const asked: number[] = []
  for (let s = from; s <= to; s++) if (tick(state, s * 1000)) asked.push(s)
  return asked
}

/** Targets of the flows that hand on copies, by what they are for. */
function flows(state: SnoopState, seconds: number): readonly string[] {
  return flowsOf(state, seconds * 1000)
    .map((flow) => formatFlow(flow))
    .filter((text) => text.includes('reg2='))
    .map((text) => /reg2=0x1000000(\d).*?(?:nw_dst=(\S+))? actions/.exec(text)?.slice(1).join(' ').trim() ?? '')
    .sort()
}

test('asked by the agent: twice in a hurry, then at its pace; members are known when all had time to answer', (t) => {
  const state = newState(BASE, 0)
  t.deepEqual(pass(state, 0, 300), [0, 10, 135, 260])
  const other = newState(BASE, 0)
  t.false(isFiltering(other, 4, 21_000))
  t.true(isFiltering(other, 4, 22_000))
})

test('a member is one until it is asked twice in vain, or leaves and nobody behind its port says otherwise', (t) => {
  const state = newState(BASE, 0)
  hear(state, wants(GROUP, '239.9.9.9'), A, 1000)
  hear(state, wants(GROUP), undefined, 1000)
  t.deepEqual(flows(state, 1), ['1 239.1.2.3', '1 239.9.9.9'])
  hear(state, wants(GROUP), A, 200_000)
  pass(state, 2, 262)
  t.deepEqual(flows(state, 262), ['1 239.1.2.3'], 'the other one was not asked for again')
  t.deepEqual(hear(state, leaves(GROUP), A, 300_000), [{ network: 7, target: A, family: 4, group: GROUP }])
  t.deepEqual(hear(state, leaves(GROUP), B, 300_000), [], 'it never was')
  hear(state, wants(GROUP), A, 301_000)
  pass(state, 301, 303)
  t.deepEqual(flows(state, 303), ['1 239.1.2.3'])
  hear(state, leaves(GROUP), A, 310_000)
  pass(state, 310, 312)
  t.deepEqual(flows(state, 312), [])
})

test('a port that is new here, or plugged anew, gets everything until it had time to answer', (t) => {
  const state = newState({ ...BASE, ports: new Map([[A, 1]]) }, 0)
  hear(state, wants(GROUP), A, 1000)
  pass(state, 0, 100)
  follow(state, BASE, 100_000)
  t.deepEqual(pass(state, 100, 111), [100, 110])
  t.true(isFiltering(state, 4, 100_000))
  t.deepEqual(flows(state, 111), ['1 239.1.2.3', '2'])
  pass(state, 112, 122)
  t.deepEqual(flows(state, 122), ['1 239.1.2.3'])
  follow(
    state,
    {
      ...BASE,
      ports: new Map([
        [A, 9],
        [B, 2],
      ]),
    },
    130_000,
  )
  t.deepEqual(flows(state, 130), ['1'])
  follow(state, { ...BASE, ports: new Map([[B, 2]]) }, 200_000)
  t.deepEqual(flows(state, 200), [])
})

test('asked by others: open until somebody asks and a whole interval was heard, and again when nobody asks any more', (t) => {
  const state = newState({ ...BASE, querier: false }, 0)
  t.deepEqual(pass(state, 0, 1000), [])
  t.false(isFiltering(state, 4, 1_000_000))
  hear(state, QUERY, undefined, 1_000_000)
  t.false(isFiltering(state, 4, 1_136_000))
  hear(state, QUERY, undefined, 1_125_000)
  t.true(isFiltering(state, 4, 1_137_000))
  pass(state, 1137, 1385)
  t.true(isFiltering(state, 4, 1_385_000))
  t.false(isFiltering(state, 6, 1_385_000), 'whoever asks by IGMP does not ask by MLD')
  pass(state, 1386, 1386)
  t.false(isFiltering(state, 4, 1_386_000))
  t.deepEqual(hear(state, leaves(GROUP), A, 1_386_000), [], 'others ask about a group, too')
})

test('who asks less often than we do is waited for', (t) => {
  const state = newState({ ...BASE, querier: false }, 0)
  const slow: Said = { ...QUERY, seconds: 250 }
  hear(state, slow, undefined, 0)
  hear(state, wants(GROUP), A, 1000)
  pass(state, 1, 500)
  t.deepEqual(flows(state, 500), ['1 239.1.2.3'])
  hear(state, { ...QUERY, seconds: 31_744 }, undefined, 500_000)
  hear(state, wants(GROUP), A, 501_000)
  pass(state, 501, 501 + 2 * 600 + 20)
  t.deepEqual(flows(state, 1800), [], 'but not for days')
})

test('routers get everything, and are known by their questions and greetings; a switch that asks is none', (t) => {
  const state = newState(BASE, 0)
  hear(state, QUERY, A, 0)
  hear(state, { kind: 'query', family: 4, routed: false }, B, 0)
  t.deepEqual(flows(state, 1), ['1'])
  hear(state, { kind: 'router', family: 6 }, B, 0)
  t.deepEqual(flows(state, 1), ['1', '2'])
  pass(state, 1, 261)
  t.deepEqual(flows(state, 261), [])
})

test('who leaves again and again, or many groups at once, is asked so often a second, and what is not asked about stays', (t) => {
  const state = newState(BASE, 0)
  pass(state, 0, 300)
  hear(state, wants(GROUP), A, 300_000)
  t.is(hear(state, leaves(...Array.from({ length: 170 }, () => GROUP)), A, 301_000).length, 1)
  t.deepEqual(hear(state, leaves(GROUP), A, 301_100), [], 'it has just been asked')
  const many = Array.from({ length: 100 }, (_, n) => `239.5.5.${n}`)
  let asked = 0
  for (let n = 0; n < 180; n++) {
    hear(state, wants(...many), A, 400_000 + n * 5)
    asked += hear(state, leaves(...many), A, 400_000 + n * 5).length
  }
  t.is(asked, ASKED_PER_SECOND)
  pass(state, 401, 410)
  t.true(flows(state, 410).length >= many.length - ASKED_PER_SECOND, 'nobody has lost a group that he was not asked about')
})

test('too many groups: the port that wants them gets everything, others go on as before', (t) => {
  const state = newState(BASE, 0)
  pass(state, 0, 30)
  hear(state, wants(GROUP), B, 30_000)
  for (let n = 0; n < 1000; n++) hear(state, wants(`239.2.${n >> 8}.${n & 255}`), A, 30_000)
  t.is(flows(state, 30).length, GROUPS_PER_PORT + 2)
  t.deepEqual(
    flows(state, 30).filter((f) => !f.includes('239.2')),
    ['1', '2 239.1.2.3'],
  )
  t.true(isFiltering(state, 4, 30_000))
})

test('too many groups of many ports, and too many messages: the network is flooded until everybody was asked again', (t) => {
  const ports = new Map(Array.from({ length: 40 }, (_, n) => [0x1000_0100 + n, n + 1] as const))
  const crowd = newState({ ...BASE, ports }, 0)
  pass(crowd, 0, 30)
  for (const target of ports.keys()) for (let n = 0; n < 120; n++) hear(crowd, wants(`239.2.${target & 255}.${n}`), target, 30_000)
  t.false(isFiltering(crowd, 4, 30_000))
  t.true(flowsOf(crowd, 30_000).length <= GROUPS_PER_NETWORK + 2)
  const loud = newState(BASE, 0)
  pass(loud, 0, 30)
  const told = Array.from({ length: 1000 }, (_, n) => count(loud, 30_000 + (n * 1000) / 1001)).filter((yes) => yes)
  t.is(told.length, 1, 'told once')
  t.false(isFiltering(loud, 4, 31_000))
  pass(loud, 31, 291)
  t.true(isFiltering(loud, 4, 291_000))
  for (let n = 0; n < HEARD_PER_SECOND; n++) t.false(count(loud, 300_000))
  t.true(isFiltering(loud, 4, 300_000))
})
