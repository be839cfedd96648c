import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import test from 'ava'
import type { JsonObject } from '../../src/model/brand.ts'
import { type Key, keyParts } from '../../src/model/key.ts'
import type { Resource } from '../../src/model/resource.ts'
import type { ChangeEvent, Subscription, VetoSubscription } from '../../src/plugins/callbacks.ts'
import type { Directory } from '../../src/plugins/directory.ts'
import { judgeChanges, type Verdict } from '../../src/plugins/judge.ts'
import { callsAfter, callsOf, judgesAt, type PlannedChange } from '../../src/plugins/notify.ts'
import { watched } from '../../src/server/watched.ts'
import { directoryWith, faultsOf, servicePlugin } from '../support/plugin.ts'

const A = 'port/default/a' as Key
const B = 'port/default/b' as Key
const NET = 'network/default/n' as Key

function resource(key: Key, spec: JsonObject = {}): Resource {
  return { key, ...keyParts(key), id: `id-of-${key}`, spec }
}

const created = (key: Key): PlannedChange => ({ action: 'create', key, after: resource(key) })
const deleted = (key: Key): PlannedChange => ({ action: 'delete', key, before: resource(key) })
const recreated = (key: Key): PlannedChange => ({ action: 'recreate', key, before: resource(key), after: resource(key, { x: 1 }) })
const updated = (key: Key, before: JsonObject, after: JsonObject): PlannedChange => ({
  action: 'update',
  key,
  before: resource(key, before),
  after: resource(key, after),
})

function veto(name: string, parts: Partial<VetoSubscription> = {}): VetoSubscription {
  return { name, stage: 'before', kind: 'port', verbs: ['create', 'update', 'delete'], judge: () => [], ...parts }
}

function judge(changes: readonly PlannedChange[], ...subscriptions: readonly Subscription[]): readonly Verdict[] {
  const before = new Map(changes.flatMap((c) => (c.before === undefined ? [] : [[c.key, c.before]])))
  const after = new Map(changes.flatMap((c) => (c.after === undefined ? [] : [[c.key, c.after]])))
  return judgeChanges({
    stage: 'before',
    subscriptions: directoryWith(servicePlugin('acme', { subscriptions })).subscriptions,
    changes,
    worlds: { before: (key) => before.get(key), after: (key) => after.get(key) },
    watched,
  })
}

/** Who listens besides Netloom itself, which keeps what never changes of networks as it is. */
function heard({ subscriptions }: Pick<Directory, 'subscriptions'>): Directory['subscriptions'] {
  return subscriptions.filter((s) => s.plugin !== 'netloom')
}

test('order: changes as the plan has them, then priority, plugin, name; the order of loading does not count', (t) => {
  const acme = servicePlugin('acme', { subscriptions: [veto('z'), veto('y'), veto('early', { priority: 10 })] })
  const apex = servicePlugin('apex', { subscriptions: [veto('a'), veto('earliest', { priority: 1 }), veto('nets', { kind: 'network' })] })
  const orders = [directoryWith(acme, apex), directoryWith(apex, acme)].map((directory) =>
    [...callsOf(judgesAt(heard(directory), 'before'), [created(B), created(NET), created(A)])].map(
      ({ subscription: s, event }) => `${event.key} ${s.plugin} ${s.name}`,
    ),
  )
  const each = (key: Key): string[] => ['apex earliest', 'acme early', 'acme y', 'acme z', 'apex a'].map((who) => `${key} ${who}`)
  t.deepEqual(orders[0], [...each(B), `${NET} apex nets`, ...each(A)])
  t.deepEqual(orders[1], orders[0])
})

test('made anew is a delete, then a create; verbs and kinds choose', (t) => {
  const events: string[] = []
  const note = (event: ChangeEvent): [] => {
    const parts = [event.before === undefined ? '' : 'before', event.after === undefined ? '' : 'after', event.recreated ? 'anew' : '']
    events.push([event.verb, event.key, ...parts].filter((p) => p !== '').join(' '))
    return []
  }
  judge([deleted(B), recreated(A), updated(NET, {}, { mtu: 1 })], veto('all', { kind: '*', judge: note }))
  t.deepEqual(events, [`delete ${B} before`, `delete ${A} before anew`, `create ${A} after anew`, `update ${NET} before after`])
  events.length = 0
  judge([deleted(B), recreated(A), created(NET)], veto('deletes', { verbs: ['delete'], judge: note }))
  t.deepEqual(events, [`delete ${B} before`, `delete ${A} before anew`])
})

test('a veto names plugin and subscription; every judge is asked, so every reason is told', (t) => {
  const no = veto('keep', { verbs: ['delete'], judge: () => [{ code: 'E9001', message: 'it is in use', at: ['name'], hint: 'ask first' }] })
  const hm = veto('wonder', { judge: () => [{ code: 'W9002', severity: 'warning', message: 'really?' }] })
  t.deepEqual(judge([deleted(A)], no, hm), [
    {
      key: A,
      finding: {
        code: 'E9001',
        message: 'plugin acme refuses the delete of port a (before keep): it is in use',
        at: ['name'],
        hint: 'ask first',
      },
    },
    { key: A, finding: { code: 'W9002', severity: 'warning', message: 'plugin acme (before wonder): really?' } },
  ])
})

test('a judge that fails, answers nonsense, begins something or writes into what it is handed refuses the plan, once', (t) => {
  const broken: Record<string, VetoSubscription['judge']> = {
    throws: () => {
      throw new TypeError('cannot read x\nof y')
    },
    'throws text': () => {
      throw 'text' as unknown as Error
    },
    promises: (async () => []) as unknown as VetoSubscription['judge'],
    nonsense: () => [{ text: 'no' }] as never,
    nothing: () => undefined as never,
    socket: () => {
      connect({ host: '127.0.0.1', port: 9 }).on('error', () => undefined)
      return []
    },
    file: () => {
      void readFile('/etc/hostname')
      return []
    },
    timer: () => {
      setTimeout(() => undefined, 1)
      return []
    },
    writes: (event) => {
      ;(event.after?.spec as Record<string, unknown>)['name'] = 'mine'
      return []
    },
    'writes elsewhere': (event, worlds) => {
      ;(worlds.after(event.key)?.spec as Record<string, unknown>)['name'] = 'mine'
      return []
    },
  }
  const told = Object.entries(broken).flatMap(([name, judgeIt]) =>
    judge([created(A), created(B)], veto(name, { judge: judgeIt })).map(({ key, finding }) => `${key} ${finding.code} ${finding.message}`),
  )
  const head = (code: string, name: string): string => `${A} ${code} plugin acme cannot judge the create of port a (before ${name}):`
  t.deepEqual(told, [
    `${head('E0720', 'throws')} it failed: cannot read x`,
    `${head('E0720', 'throws text')} it failed: text`,
    `${head('E0722', 'promises')} it began something while judging (PROMISE)`,
    `${head('E0721', 'nonsense')} its answer is no list of findings (code, message)`,
    `${head('E0721', 'nothing')} its answer is no list of findings (code, message)`,
    `${head('E0722', 'socket')} it began something while judging (TCPWRAP, TickObject)`,
    `${head('E0722', 'file')} it began something while judging (PROMISE, FSREQPROMISE)`,
    `${head('E0722', 'timer')} it began something while judging (Timeout)`,
    `${head('E0720', 'writes')} it failed: Cannot add property name, object is not extensible`,
    `${head('E0720', 'writes elsewhere')} it failed: Cannot add property name, object is not extensible`,
  ])
})

test('where nobody listens a plan is not even looked at; where few do, only their changes are', (t) => {
  const untouchable: Iterable<PlannedChange> = {
    [Symbol.iterator]: () => {
      throw new Error('the changes were looked at')
    },
  }
  const subscriptions = heard(directoryWith())
  for (const stage of ['before', 'precommit'] as const) {
    const worlds = { before: () => undefined, after: () => undefined }
    t.deepEqual(judgeChanges({ stage, subscriptions, changes: untouchable, worlds, watched }), [])
  }
  t.deepEqual(callsAfter(subscriptions, untouchable), [])
  const listening = directoryWith(servicePlugin('acme', { subscriptions: [veto('nets', { kind: 'network' })] })).subscriptions
  t.throws(() => [...callsOf(judgesAt(listening, 'before'), untouchable)], { message: /looked at/ })
})

test('an attribute that never changes cannot be changed, not even by making the resource anew', (t) => {
  const tags = {
    kind: 'port',
    alias: 'seal',
    properties: { seal: { type: 'string', description: 'Never changes.' } },
    mutability: { seal: 'immutable' },
  } as const
  const extensions = [{ alias: 'seal', summary: 'Seals.' }]
  const { subscriptions } = directoryWith(servicePlugin('sealer', { extensions, attributes: [tags] }))
  const was = { ext: { seal: { seal: 'a' } } }
  const is = { ext: { seal: { seal: 'b' } } }
  const say = (change: PlannedChange): readonly string[] =>
    judgeChanges({
      stage: 'before',
      subscriptions,
      changes: [change],
      worlds: { before: () => change.before, after: () => change.after },
      watched,
    }).map(({ finding: f }) => `${f.code} ${f.message} at ${f.at?.join('.')} → ${f.hint}`)
  const refused = [
    'E0501 plugin netloom refuses the update of port a (before immutable-port): seal of port a cannot be changed once it is made at seal → put the old value back, or give the port another name',
  ]
  t.deepEqual(say(updated(A, was, is)), refused)
  t.deepEqual(say({ ...updated(A, was, is), action: 'recreate' }), [refused[0]?.replace('the update', 'the create')])
  t.deepEqual(say(updated(A, { ...was, name: 'x' }, { ...was, name: 'y' })), [])
  t.deepEqual(say({ action: 'create', key: A, after: resource(A, is) }), [])
})

test('subscriptions that could never be called as meant are refused at the start, all at once', (t) => {
  const act = async (): Promise<void> => undefined
  const subscriptions = [
    { name: 'a', stage: 'befor', kind: 'port', verbs: ['create'], judge: () => [] },
    { name: 'b', stage: 'before', kind: 'prot', verbs: ['create'], judge: () => [] },
    { name: 'c', stage: 'after', kind: '*', verbs: ['creates'], act },
    { name: 'd', stage: 'after', kind: '*', verbs: [], act },
    { name: 'd', stage: 'precommit', kind: 'port', verbs: ['create'], act },
    { name: 'e', stage: 'system', events: ['agent/gone'], act },
    { name: 'f', stage: 'system', events: ['agent/down'], priority: 'high', act },
    { stage: 'system', events: ['agent/down'], act },
    'nonsense',
  ] as unknown as readonly Subscription[]
  t.deepEqual(faultsOf(servicePlugin('acme', { subscriptions })), [
    'E0723 plugin acme: a subscription has no name',
    'E0723 plugin acme: a subscription has no name',
    'E0723 plugin acme: subscription a: stage befor does not exist (did you mean before?)',
    'E0723 plugin acme: subscription b: kind prot does not exist (did you mean port?)',
    'E0723 plugin acme: subscription c: verb creates does not exist (did you mean create?)',
    'E0723 plugin acme: subscription d: it has no function judge of its own',
    'E0723 plugin acme: subscription d: its verbs are no list of create, update, delete',
    'E0723 plugin acme: subscription e: event agent/gone does not exist (did you mean agent/down?)',
    'E0723 plugin acme: subscription f: its priority is no number',
    'E0724 plugin acme: two subscriptions are called d',
  ])
  t.deepEqual(faultsOf(servicePlugin('acme', { subscriptions: 'x' as never })), ['E0723 plugin acme: its `subscriptions` are no list'])
})

test('a computed attribute that somebody has already is refused like any other', (t) => {
  const computed = [{ alias: 'age', names: ['mtu', 'created_at'], of: () => ({}) }]
  const faults = faultsOf(servicePlugin('acme', { extensions: [{ alias: 'age', summary: 'Age.' }], computed }))
  t.deepEqual(
    faults.filter((f) => f.includes('kind network is')).map((f) => f.split(' (')[0]),
    [
      'E0705 attribute created_at of kind network is brought by two plugins: timestamp and acme',
      'E0705 attribute mtu of kind network is brought by two plugins: ml2 and acme',
    ],
  )
})
