import test from 'ava'
import type { Compiled, Foreign, Item, Verdict } from '../../../agentd/backends/backend.ts'
import { withHarm } from '../../../agentd/converge/harm.ts'
import { type Key, makeKey } from '../../../src/model/key.ts'

const HOST = makeKey('host', '', 'h1')
const port = (name: string): Key => makeKey('port', 'default', name)
const item = (key: string, ...owners: readonly Key[]): [string, Item] => [key, { key, owners, text: key, value: {} }]

function compiled(verdicts: Readonly<Record<Key, Verdict>> = {}): Compiled {
  return {
    items: new Map([item('flow a', port('a')), item('flow b', port('b')), item('flow all', HOST)]),
    allocations: {},
    verdicts: new Map(Object.entries(verdicts) as [Key, Verdict][]),
    subjects: [HOST, port('a'), port('b')],
  }
}

function told(at: Compiled, foreign: readonly Foreign[]): Readonly<Record<string, string>> {
  return Object.fromEntries([...withHarm(at, HOST, foreign).verdicts].map(([key, v]) => [key, `${v.state} ${v.cause}`]))
}

const harm = (cause: string, ...spoils: readonly string[]): Foreign => ({ where: cause, text: cause, harm: { cause, spoils } })

test('things of others that harm nobody change nothing', (t) => {
  const at = compiled()
  t.is(withHarm(at, HOST, [{ where: 'Port x', text: 'type=system' }]), at)
})

test('the host is in error, and so is who owns what is spoiled; who is down or waits says why by itself', (t) => {
  t.deepEqual(told(compiled(), [harm('takes a', 'flow a', 'flow all', 'flow of nobody')]), {
    'host/h1': 'ERROR takes a',
    'port/default/a': 'ERROR takes a',
  })
  t.deepEqual(told(compiled({ [port('a')]: { state: 'DOWN', cause: 'off' } }), [harm('takes a', 'flow a')]), {
    'host/h1': 'ERROR takes a',
    'port/default/a': 'DOWN off',
  })
})

test('every cause of the host is told, of many the first three', (t) => {
  const own = compiled({ [HOST]: { state: 'ERROR', cause: 'no address' } })
  const many = ['1', '2', '3', '4', '5'].map((n) => harm(n))
  t.is(told(own, many)['host/h1'], 'ERROR 1; and 2; and 3; and 2 more such things: see netloom drift; and no address')
})
