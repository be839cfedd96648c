import { randomBytes } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { decodeZ85, encodeZ85 } from '../../src/lib/z85.ts'
import { isPair, keyFault, makeKeyPair, sharedKeys } from '../../src/wire/keys.ts'
import { createSealer, openPublished } from '../../src/wire/seal.ts'
import { isSignedBy, readSignature, signatureFrame } from '../../src/wire/signature.ts'

test('Z85 is what RFC 32 says, and reads back what it wrote', (t) => {
  t.is(encodeZ85(Buffer.from('864fd26fb559f75b', 'hex')), 'HelloWorld')
  t.is(decodeZ85('HelloWorld')?.toString('hex'), '864fd26fb559f75b')
  for (const bad of ['Hell', 'Hello World', '#####', 'Héllo']) t.is(decodeZ85(bad), undefined, bad)
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }).filter((b) => b.length % 4 === 0),
      (b) => decodeZ85(encodeZ85(b))?.equals(b) === true,
    ),
  )
})

test('a pair is a pair, the keys of ZeroMQ’s own example (RFC 26, libzmq’s tests) included', (t) => {
  const pair = makeKeyPair(randomBytes)
  t.true(isPair(pair))
  t.false(isPair({ ...pair, secretKey: makeKeyPair(randomBytes).secretKey }))
  const known = { publicKey: 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID', secretKey: 'D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs' }
  t.true(isPair(known))
  t.is(keyFault(known.publicKey), undefined)
  t.is(keyFault('short'), 'has 5 letters, a key has 40')
  t.is(keyFault('~'.repeat(40)), 'has letters that no key has')
})

test('both sides work out the same shared keys, a third one does not, and a point of small order gives none', (t) => {
  const [server, host, other] = [makeKeyPair(randomBytes), makeKeyPair(randomBytes), makeKeyPair(randomBytes)]
  const ours = sharedKeys(server, host.publicKey)
  t.deepEqual(sharedKeys(host, server.publicKey), ours)
  t.notDeepEqual(sharedKeys(other, server.publicKey), ours)
  t.notDeepEqual(ours?.sign, ours?.seal)
  t.is(sharedKeys(server, '0'.repeat(40)), undefined)
})

test('a signature holds for its host, door, count and payload, and for nothing else', (t) => {
  const key = Buffer.alloc(32, 1)
  const payload = Buffer.from('{}')
  const signature = readSignature(Buffer.from(signatureFrame(key, 'rpc', { host: 'h1', count: 7 }, payload)))
  if (signature === undefined) throw new Error('unreadable')
  t.true(isSignedBy(key, 'rpc', signature, payload))
  t.false(isSignedBy(key, 'reports', signature, payload))
  t.false(isSignedBy(Buffer.alloc(32, 2), 'rpc', signature, payload))
  t.false(isSignedBy(key, 'rpc', { ...signature, host: 'h2' }, payload))
  t.false(isSignedBy(key, 'rpc', { ...signature, count: 8 }, payload))
  t.false(isSignedBy(key, 'rpc', signature, Buffer.from('{ }')))
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => readSignature(bytes) === undefined))
})

test('what is sealed opens with its key and topic only, whole and unaltered', (t) => {
  const key = Buffer.alloc(32, 1)
  const sealer = createSealer(randomBytes)
  const delta = sealer.delta('{"delta":1}')
  const topic = 'host/h1/'
  const frames = [topic, sealer.header(key, topic, '{"header":1}', [delta.key]), delta.frame].map((f) => Buffer.from(f))
  t.deepEqual(openPublished(key, frames)?.map(String), [topic, '{"header":1}', '{"delta":1}'])
  t.is(openPublished(Buffer.alloc(32, 2), frames), undefined)
  t.is(openPublished(key, [Buffer.from('host/h2/'), ...frames.slice(1)]), undefined)
  t.is(openPublished(key, [...frames, frames[2] ?? Buffer.alloc(0)]), undefined)
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 }), fc.nat(), (which, at) => {
      const altered = frames.map((f) => Buffer.from(f))
      const frame = altered[which] ?? Buffer.alloc(1)
      const place = at % frame.length
      frame[place] = frame[place] === 65 ? 66 : 65
      const opened = openPublished(key, altered)
      // The same letter again is no change.
      return altered[which]?.equals(frames[which] ?? Buffer.alloc(0)) === true || opened === undefined
    }),
  )
})
