import test from 'ava'
import { createDesk } from '../../../src/server/hub/desk.ts'
import type { Report } from '../../../src/wire/messages.ts'

const TARGET = { revision: 5, seq: 9, digest: 'd'.repeat(32) }
let ids = 0
function report(change: Partial<Report> = {}): Report {
  const id = `r${ids++}`
  return {
    v: 1,
    type: 'report',
    id,
    host: 'h1',
    epoch: 'a1',
    revision: 5,
    digest: 'd'.repeat(32),
    converged: true,
    full: false,
    objects: [],
    gone: [],
    ...change,
  }
}

test('a server that knows nothing of an agent asks for everything, once; a restarted agent is new', (t) => {
  const desk = createDesk('s1')
  desk.setTargets([['h1', TARGET]])
  const wants = (change: Partial<Report> = {}): boolean => {
    const { reply, forward } = desk.receive(report(change))
    if (forward !== undefined) desk.settled('h1', { epoch: 'a1', outcome: 'kept' })
    return reply.type === 'report' && reply.want_full
  }
  t.deepEqual(
    [wants(), wants({ full: true }), wants(), wants({ epoch: 'a2' }), wants({ epoch: 'a2', full: true }), wants({ epoch: 'a2' })],
    [true, false, false, true, false, false],
  )
})

test('a server far behind gets no more reports, but every answer; then it asks for everything', (t) => {
  const desk = createDesk('s1')
  desk.setTargets([['h1', TARGET]])
  const first = desk.receive(report({ full: true }))
  t.truthy(first.forward)
  const forwarded = Array.from({ length: 10 }, () => desk.receive(report()).forward).filter((f) => f !== undefined).length
  t.is(forwarded, 3)
  t.truthy(desk.receive(report({ answer: { id: 'q', ok: true, data: {} } })).forward)
  const behind = desk.receive(report({ full: true }))
  t.true(behind.forward === undefined && behind.reply.type === 'report' && !behind.reply.want_full)
  for (let i = 0; i < 5; i++) desk.settled('h1', { epoch: 'a1', outcome: 'kept' })
  const after = desk.receive(report())
  t.true(after.forward !== undefined && after.reply.type === 'report' && after.reply.want_full)
})

test('open questions ride on the replies until they are closed', (t) => {
  const desk = createDesk('s1')
  desk.setTargets([['h1', TARGET]])
  const asks = (): unknown => {
    const { reply } = desk.receive(report())
    return reply.type === 'report' ? reply.asks?.map((a) => a.id) : 'refused'
  }
  t.is(asks(), undefined)
  desk.openAsk({ v: 1, type: 'ask', id: 'q1', host: 'h1', question: { what: 'drift' } })
  desk.openAsk({ v: 1, type: 'ask', id: 'q2', host: 'h1', question: { what: 'flows' } })
  t.deepEqual(asks(), ['q1', 'q2'])
  desk.closeAsk('h1', 'q1')
  t.deepEqual(asks(), ['q2'])
  desk.closeAsk('h1', 'q2')
  t.is(asks(), undefined)
})

test('before the server has read its state nobody is told that he is unknown', (t) => {
  const desk = createDesk('s1')
  const code = (): string => {
    const { reply, forward } = desk.receive(report())
    t.is(forward, undefined)
    return reply.type === 'refused' ? reply.code : reply.type
  }
  t.is(code(), 'not-ready')
  desk.setTargets([])
  t.is(code(), 'unknown-host')
})
