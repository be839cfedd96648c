import test from 'ava'
import fc from 'fast-check'
import { PMap } from '../../../src/lib/pmap.ts'
import type { JsonObject } from '../../../src/model/brand.ts'
import { type Key, makeKey } from '../../../src/model/key.ts'
import type { Declared, LoadedFile } from '../../../src/model/resource.ts'
import { EMPTY_TREE, opsAgainst, type Tree, treeIssues, withFiles } from '../../../src/server/load/tree.ts'

/** A file with networks; `mtu` is the whole spec, so that equal numbers are equal values. */
function file(path: string, networks: readonly (readonly [string, number])[], broken = false, implied: readonly string[] = []): LoadedFile {
  const declared = (name: string, spec: JsonObject): Declared => ({
    key: makeKey('network', 'default', name),
    kind: 'network',
    project: 'default',
    name,
    spec,
  })
  return {
    path,
    hash: JSON.stringify([networks, broken, implied]),
    entries: [
      ...networks.map(([name, mtu], i) => ({ declared: declared(name, { mtu }), place: { file: path, line: i + 2, col: 3 } })),
      ...implied.map((name, i) => ({
        declared: declared(name, {}),
        place: { file: path, line: i + 90, col: 3 },
        implied: makeKey('port', 'default', `of-${path}`),
      })),
    ],
    issues: broken ? [{ code: 'E0106', severity: 'error', message: 'broken', place: { file: path, line: 1, col: 1 } }] : [],
  }
}

/** Everything a tree says, in an order that does not depend on how it came about. */
function told(tree: Tree) {
  const sorted = <V>(map: PMap<string, V>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    declared: sorted(tree.declared).map(([key, d]) => [key, d.spec]),
    places: sorted(tree.places),
    files: sorted(tree.files).map(([path]) => path),
    standIns: sorted(tree.standIns).map(([key, { implied }]) => [key, implied]),
    issues: treeIssues(tree),
  }
}

const names = fc.constantFrom('a', 'b', 'c', 'd')
const files = fc.record({
  path: fc.constantFrom('1.yaml', '2.yaml', '3.yaml'),
  networks: fc.array(fc.tuple(names, fc.nat(2)), { maxLength: 4 }),
  broken: fc.boolean(),
  implied: fc.uniqueArray(names, { maxLength: 2 }),
  gone: fc.boolean(),
})

test('step by step or at once: the same tree; what is touched is what differs', (t) => {
  fc.assert(
    fc.property(fc.array(fc.array(files, { maxLength: 3 }), { maxLength: 6 }), (steps) => {
      let tree = EMPTY_TREE
      const now = new Map<string, LoadedFile>()
      for (const step of steps) {
        const last = new Map(step.map((f) => [f.path, f]))
        const changed = [...last.values()].filter((f) => !f.gone).map((f) => file(f.path, f.networks, f.broken, f.implied))
        const removed = [...last.values()].filter((f) => f.gone).map((f) => f.path)
        for (const f of changed) now.set(f.path, f)
        for (const path of removed) now.delete(path)
        const next = withFiles(tree, changed, removed)
        t.deepEqual(told(next.tree), told(withFiles(EMPTY_TREE, [...now.values()].reverse()).tree))
        const ops = opsAgainst(next.tree, tree.declared)
        t.deepEqual([...next.touched].sort(), [...ops.set.map((d) => d.key), ...ops.del].sort())
        t.deepEqual(opsAgainst(next.tree, tree.declared, next.touched), ops)
        tree = next.tree
      }
    }),
  )
})

test('a resource that moves to another file is not touched; its place is', (t) => {
  const before = withFiles(EMPTY_TREE, [file('1.yaml', [['a', 1]])]).tree
  const { tree, touched } = withFiles(before, [file('2.yaml', [['a', 1]])], ['1.yaml'])
  const key = makeKey('network', 'default', 'a')
  t.is(touched.size, 0)
  t.is(tree.declared.get(key), before.declared.get(key))
  t.is(tree.places.get(key)?.file, '2.yaml')
})

test('the same resource in two files: an error that names both, until one goes', (t) => {
  const both = withFiles(EMPTY_TREE, [file('2.yaml', [['a', 2]]), file('1.yaml', [['a', 1]])]).tree
  t.like(treeIssues(both), [{ code: 'E0302', place: { file: '2.yaml' }, related: [{ place: { file: '1.yaml' } }] }])
  const key = makeKey('network', 'default', 'a')
  t.deepEqual(both.declared.get(key)?.spec, { mtu: 1 })
  const { tree, touched } = withFiles(both, [], ['1.yaml'])
  t.deepEqual(treeIssues(tree), [])
  t.deepEqual([...touched], [key])
  t.deepEqual(tree.declared.get(key)?.spec, { mtu: 2 })
})

test('ops against a base: set and delete, sorted; equal values are left alone', (t) => {
  const tree = withFiles(EMPTY_TREE, [
    file('1.yaml', [
      ['b', 1],
      ['a', 1],
      ['c', 1],
    ]),
  ]).tree
  const base = PMap.from<Key, NonNullable<ReturnType<typeof tree.declared.get>>>(
    withFiles(EMPTY_TREE, [
      file('x.yaml', [
        ['z', 1],
        ['a', 9],
        ['c', 1],
        ['y', 1],
      ]),
    ]).tree.declared,
  )
  const ops = opsAgainst(tree, base)
  t.deepEqual(
    ops.set.map((d) => d.name),
    ['a', 'b'],
  )
  t.deepEqual(ops.del, [makeKey('network', 'default', 'y'), makeKey('network', 'default', 'z')])
})

test('what files take for granted is there until somebody writes it, and goes with the last of them', (t) => {
  const key = makeKey('network', 'default', 'a')
  const two = withFiles(EMPTY_TREE, [file('2.yaml', [], false, ['a']), file('1.yaml', [], false, ['a'])]).tree
  t.like(told(two), { declared: [[key, {}]], standIns: [[key, makeKey('port', 'default', 'of-1.yaml')]], issues: [] })
  t.is(two.places.get(key)?.file, '1.yaml')

  const written = withFiles(two, [file('3.yaml', [['a', 7]])])
  t.like(told(written.tree), { declared: [[key, { mtu: 7 }]], standIns: [], issues: [] })
  t.deepEqual([...written.touched], [key])
  t.is(written.tree.places.get(key)?.file, '3.yaml')

  // Another one takes its place, and nothing changes but where it stands.
  const other = withFiles(two, [], ['1.yaml'])
  t.deepEqual([...other.touched], [])
  t.is(other.tree.places.get(key)?.file, '2.yaml')
  t.deepEqual(told(withFiles(written.tree, [], ['3.yaml']).tree), told(two))

  const gone = withFiles(other.tree, [file('2.yaml', [])])
  t.deepEqual([...gone.touched], [key])
  t.like(told(gone.tree), { declared: [], standIns: [] })
})

test('a hundred files that take one thing for granted, in any order, are one tree', (t) => {
  const all = Array.from({ length: 100 }, (_, i) => file(`${String(i).padStart(3, '0')}.yaml`, [], false, ['a']))
  const shuffled = [...all.slice(50), ...all.slice(0, 50).reverse()]
  const stepwise = shuffled.reduce((tree, f) => withFiles(tree, [f]).tree, EMPTY_TREE)
  t.deepEqual(told(stepwise), told(withFiles(EMPTY_TREE, all).tree))
  t.is(stepwise.places.get(makeKey('network', 'default', 'a'))?.file, '000.yaml')
})
