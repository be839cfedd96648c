import test from 'ava'
import { entryDigest, formatWords, parseWords, setDigest, xorDigest } from '../../src/lib/digest.ts'
import { canonicalJson } from '../../src/lib/json.ts'

// Digests by Python's hashlib over the same text.
const PLAIN = 'f9f475574b1a0cc45e79cf4bc78d7187'
const ESCAPED = '004106ac5f44ff9f60e1211ecd71acab'

test('an entry’s digest is the first half of SHA-256 over key and canonical JSON', (t) => {
  t.is(entryDigest('a', { b: 1 }), PLAIN)
  t.is(entryDigest('attach port/shop/web-1', { c: {}, b: [true, null, 1.5, 'x'], a: '\u0007"\\ü' }), ESCAPED)
})

test('canonical JSON is what JSON.stringify writes of sorted names, whatever has to be escaped', (t) => {
  for (const text of ['', 'plain ~', '"', '\\', '\n', '\u007f', 'ü', '\ud800', '\u2028']) {
    t.is(canonicalJson({ b: text, [text]: 1 }), canonicalJson({ [text]: 1, b: text }))
    t.is(canonicalJson(text), JSON.stringify(text))
    t.deepEqual(JSON.parse(canonicalJson({ [text]: text })), { [text]: text })
  }
})

test('a set’s digest is the XOR of its entries’', (t) => {
  t.is(setDigest([['a', { b: 1 }]]), PLAIN)
  t.is(xorDigest(xorDigest(PLAIN, ESCAPED), ESCAPED), PLAIN)
  t.is(formatWords(parseWords(ESCAPED)), ESCAPED)
})
