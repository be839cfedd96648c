import test from 'ava'
import fc from 'fast-check'
import { PMap } from '../../../src/lib/pmap.ts'
import { type Key, makeKey } from '../../../src/model/key.ts'
import type { LoadedFile } from '../../../src/model/resource.ts'
import { EMPTY_TREE, opsAgainst, type Tree, treeIssues, withFiles } from '../../../src/server/load/tree.ts'

/** A file with networks; `mtu` is the whole spec, so that equal numbers are equal values. */
function file(path: string, networks: readonly (readonly [string, number])[], broken = false): LoadedFile {
  return {
    path,
    hash: JSON.stringify([networks, broken]),
    entries: networks.map(([name, mtu], i) => ({
      declared: { key: makeKey('network', 'default', name), kind: 'network', project: 'default', name, spec: { mtu } },
      place: { file: path, line: i + 2, col: 3 },
    })),
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
    issues: treeIssues(tree),
  }
}

const names = fc.constantFrom('a', 'b', 'c', 'd')
const files = fc.record({
  path: fc.constantFrom('1.yaml', '2.yaml', '3.yaml'),
  networks: fc.array(fc.tuple(names, fc.nat(2)), { maxLength: 4 }),
  broken: fc.boolean(),
  gone: fc.boolean(),
})

test('step by step or at once: the same tree; what is touched is what differs', (t) => {
  fc.assert(
    fc.property(fc.array(fc.array(files, { maxLength: 3 }), { maxLength: 6 }), (steps) => {
      let tree = EMPTY_TREE
      const now = new Map<string, LoadedFile>()
      for (const step of steps) {
        const last = new Map(step.map((f) => [f.path, f]))
        const changed = [...last.values()].filter((f) => !f.gone).map((f) => file(f.path, f.networks, f.broken))
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
