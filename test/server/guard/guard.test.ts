import test from 'ava'
import { parseAllow, stillBlocked } from '../../../src/server/guard/allow.ts'
import { computePlan } from '../../../src/server/plan/plan.ts'
import { GUARDS, type Item, inputOf } from '../plan/worlds.ts'

const items = (kind: string, n: number): readonly Item[] => Array.from({ length: n }, (_, i) => ({ key: `${kind}/default/${kind}-${i}` }))
const blocked = (...input: Parameters<typeof inputOf>): ReturnType<typeof computePlan>['blocked'] => computePlan(inputOf(...input)).blocked

test('an empty tree always blocks', (t) => {
  t.deepEqual(blocked(items('network', 1), []), [
    {
      guard: 'empty-tree',
      message: 'the repo declares nothing, and 1 resource would be deleted',
      cause: 'is this the right directory and branch? An empty repo never deletes anything',
      count: 1,
    },
  ])
  t.deepEqual(blocked([], []), [])
})

test('a repo of another installation blocks; a first name does not', (t) => {
  const named = (installation?: string): readonly Item[] => [
    ...items('network', 1),
    { key: 'site/site', spec: installation === undefined ? {} : { installation } },
  ]
  t.deepEqual(blocked(named('north'), named('south')), [
    {
      guard: 'installation',
      message: 'the state is of installation north, and the repo is of south',
      cause: 'is this the right directory, and the right state file? A new name goes on everything that agents made',
      count: 1,
      override: '--allow installation=1',
    },
  ])
  t.deepEqual(
    [named(), items('network', 1)].flatMap((after) => blocked(named('north'), after).map((v) => v.message)),
    Array.from({ length: 2 }, () => 'the state is of installation north, and the repo is of one without a name'),
  )
  t.deepEqual(blocked(named(), named('north')), [])
  t.deepEqual(blocked(items('network', 1), named('north')), [])
  t.deepEqual(blocked(named('north'), named('north')), [])
  const { blocked: verdicts } = computePlan(inputOf(named('north'), named('south')))
  t.deepEqual(stillBlocked(verdicts, parseAllow(['installation=1']).allowed), [])
})

test('more than 30 % of a kind, once there are ten', (t) => {
  const network = items('network', 1)
  t.deepEqual(blocked([...network, ...items('port', 10)], [...network, ...items('port', 7)]), [])
  t.deepEqual(blocked([...network, ...items('port', 9)], [...network, ...items('port', 1)]), [], 'nine are too few to speak of a ratio')
  t.deepEqual(blocked([...network, ...items('port', 10)], [...network, ...items('port', 6)]), [
    {
      guard: 'delete-ratio',
      message: '4 ports of 10 (40 %) would be deleted, limit 30 %',
      cause: 'they stood: 4 in nets/ports.yaml',
      count: 4,
      override: '--allow delete-ratio=4',
    },
  ])
  t.is(blocked([...network, ...items('port', 3), ...items('subnet', 20)], [...network, ...items('subnet', 20)]).length, 0, 'per kind')
})

test('more than 25 in one plan', (t) => {
  const before = [...items('port', 200), ...items('network', 1)]
  t.deepEqual(blocked(before, [...items('port', 175), ...items('network', 1)]), [])
  t.deepEqual(blocked(before, [...items('port', 174), ...items('network', 1)]), [
    {
      guard: 'delete-count',
      message: '26 resources would be deleted, limit 25',
      cause: 'they stood: 26 in nets/ports.yaml',
      count: 26,
      override: '--allow delete-count=26',
    },
  ])
})

test('thresholds come from the site file', (t) => {
  const before = items('port', 100)
  const after = items('port', 60)
  t.deepEqual(blocked(before, after, { guards: { ...GUARDS, delete_ratio: 0.5, delete_count: 40 } }), [])
  t.deepEqual(
    blocked(before, items('port', 99), { guards: { ...GUARDS, delete_ratio: 0, delete_count: 0 } }).map((v) => v.guard),
    ['delete-ratio', 'delete-count'],
  )
})

test('a file that is gone although git has it', (t) => {
  const vanished = [{ file: 'nets/db.yaml', because: 'git-index' as const }]
  t.deepEqual(blocked(items('port', 2), items('port', 1), { vanished }), [
    {
      guard: 'vanished-file',
      message: 'nets/db.yaml is gone from the directory',
      cause: 'git still has it in the index; git rm says that a file is meant to go',
      count: 1,
      override: '--allow vanished-file=1',
    },
  ])
  const many = ['a', 'b', 'c', 'd', 'e'].map((file) => ({ file, because: 'git-operation' as const }))
  const [verdict] = blocked(items('port', 2), items('port', 1), { vanished: many })
  t.is(verdict?.message, 'a, b, c and 2 more are gone from the directory')
  t.is(verdict?.cause, 'a git operation is in progress')
})

test('a chosen address does not change by itself', (t) => {
  const port = (value: string, more: Partial<Item> = {}): Item => ({
    key: 'port/default/a',
    spec: {},
    full: { ip: value },
    holds: [{ pool: 'ip:s', value }],
    ...more,
  })
  t.deepEqual(blocked([port('10.0.0.5')], [port('10.0.0.9')]), [
    {
      guard: 'renumber',
      message: '1 resource would get another address, MAC or segment, though nobody wrote one (port a: 10.0.0.5 → 10.0.0.9)',
      cause: 'the old values were chosen before and are no longer kept',
      count: 1,
      override: '--allow renumber=1',
    },
  ])
  t.deepEqual(
    blocked([port('10.0.0.5')], [port('10.0.0.9', { holds: [{ pool: 'ip:s', value: '10.0.0.9', source: 'explicit' }] })]),
    [],
    'somebody wrote it',
  )
  t.deepEqual(blocked([port('10.0.0.5')], [port('10.1.0.9', { holds: [{ pool: 'ip:other', value: '10.1.0.9' }] })]), [], 'another subnet')
  const both = [
    { pool: 'ip:s', value: '10.0.0.5' },
    { pool: 'ip:s', value: '10.0.0.6' },
  ]
  t.deepEqual(blocked([port('10.0.0.5')], [port('10.0.0.5', { holds: both })]), [], 'one more')
})

test('a server that lost its memory does not renumber what agents hold', (t) => {
  const port: Item = { key: 'port/default/a', full: { ip: '10.0.0.9' }, holds: [{ pool: 'ip:s', value: '10.0.0.9' }] }
  const reported = (held: string) => () => [{ pool: 'ip:s', value: held }]
  t.deepEqual(blocked([], [port], { reported: reported('10.0.0.9') }), [])
  const [verdict] = blocked([], [port], { reported: reported('10.0.0.5') })
  t.is(verdict?.guard, 'renumber')
  t.is(verdict?.cause, 'agents report that the old values are in use')
})

test('an override names the guard and exactly its number', (t) => {
  const verdicts = blocked(items('port', 100), items('port', 60))
  t.deepEqual(
    verdicts.map((v) => v.override),
    ['--allow delete-ratio=40', '--allow delete-count=40'],
  )
  const left = (...values: readonly string[]): readonly string[] => stillBlocked(verdicts, parseAllow(values).allowed).map((v) => v.guard)
  t.deepEqual(left(), ['delete-ratio', 'delete-count'])
  t.deepEqual(left('delete-ratio=40'), ['delete-count'])
  t.deepEqual(left('delete-ratio=40', 'delete-count=41'), ['delete-count'])
  t.deepEqual(left('delete-ratio=40,delete-count=40'), [])
  t.deepEqual(
    stillBlocked(blocked(items('port', 2), []), parseAllow(['delete-ratio=2']).allowed).map((v) => v.guard),
    ['empty-tree'],
  )
})

test('an override that is none is an error', (t) => {
  for (const bad of ['', 'delete-ratio', 'delete-ratio=', 'delete-ratio=x', 'delete-ratio=-1', 'all=1', 'delete-ratio=1e3']) {
    const { issues, allowed } = parseAllow([bad])
    t.deepEqual(
      issues.map((i) => i.code),
      ['E0502'],
      bad,
    )
    t.is(allowed.size, 0)
  }
  t.regex(parseAllow(['empty-tree=5']).issues[0]?.message ?? '', /cannot be overridden/)
})
