import { isDeepStrictEqual } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { decodeDelta, decodePublished, decodeReply, decodeRequest, encode } from '../../src/wire/codec.ts'
import { MAX_MESSAGE } from '../../src/wire/messages.ts'
import * as arbitrary from './messages.arbitrary.ts'

/** As JSON sees it: members that are undefined are not there. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
/** fast-check throws on a counterexample; ava wants to see an assertion. */
function check<T>(t: ExecutionContext, property: fc.IRawProperty<T>, options?: fc.Parameters<T>): void {
  t.notThrows(() => fc.assert(property, options))
}
const bytes = (text: string): Buffer => Buffer.from(text)

test('every request comes out as it went in', (t) => {
  check(
    t,
    fc.property(arbitrary.request, (m) => isDeepStrictEqual(decodeRequest(encode(m)), { ok: true, message: plain(m) })),
  )
})

test('every reply comes out as it went in', (t) => {
  check(
    t,
    fc.property(arbitrary.reply, (m) => isDeepStrictEqual(decodeReply(encode(m)), { ok: true, message: plain(m) })),
  )
})

test('an update comes out with its deltas; asks and heartbeats alone', (t) => {
  check(
    t,
    fc.property(arbitrary.update, ({ header, deltas }) => {
      const decoded = decodePublished([bytes('t'), encode(header), ...deltas.map(encode)])
      return isDeepStrictEqual(decoded, { ok: true, message: plain({ type: 'update', header, deltas }) })
    }),
  )
  check(
    t,
    fc.property(fc.oneof(arbitrary.ask, arbitrary.heartbeat), (header) => {
      return isDeepStrictEqual(decodePublished([bytes('t'), encode(header)]), { ok: true, message: plain({ type: header.type, header }) })
    }),
  )
})

test('foreign bytes are refused, never thrown on', (t) => {
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map(bytes),
    fc.string().map(bytes),
    fc.jsonValue().map((j) => bytes(JSON.stringify({ v: 1, type: 'hello', id: 'x', host: 'h', epoch: j }))),
  )
  check(
    t,
    fc.property(garbage, fc.array(garbage, { maxLength: 3 }), (frame, more) => {
      for (const decoded of [decodeRequest(frame), decodeReply(frame), decodeDelta(frame), decodePublished([frame, ...more])]) {
        if (!decoded.ok && !(['oversize', 'malformed', 'version'].includes(decoded.refusal.code) && decoded.refusal.message.length < 400))
          return false
      }
      return true
    }),
    { numRuns: 500 },
  )
})

test('a message with bytes altered, cut or doubled is refused or is still a valid message', (t) => {
  check(
    t,
    fc.property(fc.oneof(arbitrary.request, arbitrary.reply), fc.nat(), fc.nat(255), fc.nat(), (message, at, byte, cut) => {
      const whole = encode(message)
      const altered = Buffer.from(whole)
      altered[at % altered.length] = byte
      for (const frame of [altered, whole.subarray(0, cut % whole.length), Buffer.concat([whole, whole])]) {
        const decoded = decodeRequest(frame)
        if (decoded.ok && decoded.message.type !== 'hello' && ![1, 2].includes(decoded.message.v)) return false
      }
      return true
    }),
    { numRuns: 500 },
  )
})

test('what is refused, and in which words', (t) => {
  const refusal = (frame: Uint8Array): string => {
    const decoded = decodeRequest(frame)
    return decoded.ok ? 'accepted' : `${decoded.refusal.code} ${decoded.refusal.id} ${decoded.refusal.host}: ${decoded.refusal.message}`
  }
  const hello = { v: 1, type: 'hello', id: 'r1', host: 'h1', epoch: 'e', version: '1' }
  const deep = `{"v":1,"type":"pull","id":"a","host":"h","x":${'['.repeat(60)}${']'.repeat(60)}}`
  t.is(refusal(bytes(JSON.stringify(hello))), 'accepted')
  t.is(refusal(bytes(JSON.stringify({ ...hello, later: [1] }))), 'accepted')
  t.is(refusal(bytes('')), 'malformed  : not JSON')
  t.is(refusal(Buffer.from([0xff, 0xfe])), 'malformed  : not UTF-8')
  t.is(refusal(bytes('[1]')), 'malformed  : not a JSON object')
  t.is(
    refusal(bytes(JSON.stringify({ ...hello, v: 3 }))),
    'version r1 h1: wire version 3, this side speaks 1 to 2: bring both to the same release',
  )
  t.is(
    refusal(bytes(JSON.stringify({ ...hello, v: 3, speaks: { min: 3, max: 4 } }))),
    'version r1 h1: wire version 3 to 4, this side speaks 1 to 2: bring both to the same release',
  )
  t.is(refusal(bytes(JSON.stringify({ ...hello, v: 0, speaks: { min: 0, max: 1 } }))), 'accepted')
  t.is(refusal(bytes(JSON.stringify({ ...hello, v: 0, type: 'pull' }))).startsWith('version r1 h1: wire version 0,'), true)
  t.is(refusal(bytes(JSON.stringify({ ...hello, type: 'drop' }))), 'malformed r1 h1: unknown message type "drop"')
  t.is(refusal(bytes(JSON.stringify({ ...hello, host: 'a/b' }))).startsWith('malformed r1 a/b: /host must match pattern'), true)
  t.is(refusal(bytes('{"v":1,"type":"hello","id":"r","host":"h","__proto__":{}}')), 'malformed r h: a member is called __proto__')
  t.is(
    refusal(bytes('{"v":1,"type":"hello","id":"r","host":"h","x":[{"\\u005f_proto__":1}]}')),
    'malformed r h: a member is called __proto__',
  )
  t.is(refusal(bytes(deep)), 'malformed a h: nested deeper than 48')
  t.is(refusal(bytes('['.repeat(1_000_000))), 'malformed  : not JSON')
  t.is(refusal(Buffer.alloc(MAX_MESSAGE + 1)), `oversize  : ${MAX_MESSAGE + 1} bytes, at most ${MAX_MESSAGE} are accepted`)
})

test('an update whose frames are not what its header names is refused whole', (t) => {
  const zero = '0'.repeat(32)
  const header = {
    v: 1,
    type: 'update',
    host: 'h1',
    epoch: 'e',
    seq: 1,
    revision: 1,
    needs: {},
    deltas: [{ scope: 'fabric', from: zero, to: zero }],
  }
  const delta = { scope: 'fabric', from: zero, to: zero, set: {}, del: [] }
  const head = bytes(JSON.stringify(header))
  t.true(decodePublished([bytes('t'), head, bytes(JSON.stringify(delta))]).ok)
  t.false(decodePublished([bytes('t'), head]).ok)
  t.false(decodePublished([bytes('t'), head, bytes(JSON.stringify({ ...delta, scope: 'net/x' }))]).ok)
  t.false(decodePublished([bytes('t'), head, bytes(JSON.stringify({ ...delta, set: { a: { type: 7 } } }))]).ok)
  t.false(decodePublished([bytes('t')]).ok)
  t.false(decodePublished([]).ok)
})

test('a member that only a newer release knows is passed over; a commit that is none is refused', (t) => {
  const update = { v: 1, type: 'update', host: 'h1', epoch: 'e', seq: 1, revision: 3, needs: {}, deltas: [] }
  const told = (more: object): boolean => decodePublished([bytes('host/h1/'), bytes(JSON.stringify({ ...update, ...more }))]).ok
  t.true(told({ weather: 'fine' }))
  t.true(told({ commit: `${'0123456789'.repeat(4)}+` }))
  t.false(told({ commit: 'HEAD' }))
  const reply = { v: 2, type: 'report', id: 'i', epoch: 'e', seq: 1, revision: 3, digest: '0'.repeat(32), want_full: false }
  const answered = (more: object): boolean => decodeReply(bytes(JSON.stringify({ ...reply, ...more }))).ok
  t.true(answered({ weather: 'fine', commit: '0123456789'.repeat(4) }))
  t.false(answered({ commit: 7 }))
})
