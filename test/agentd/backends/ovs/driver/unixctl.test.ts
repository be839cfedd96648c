import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { Unixctl } from '../../../../../agentd/backends/ovs/driver/unixctl.ts'

/** A daemon that answers each question with a text, in pieces of some size. */
async function answering(results: readonly string[], size: number): Promise<readonly string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'nl-'))
  const path = join(dir, 'ctl')
  const answers = Buffer.from(results.map((result, id) => JSON.stringify({ id, result, error: null })).join(''))
  const server = createServer((socket) => {
    let asked = 0
    socket.on('data', (data) => {
      asked += data.toString().split('"method"').length - 1
      if (asked < results.length) return
      for (let at = 0; at < answers.length; at += size) socket.write(answers.subarray(at, at + size))
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  try {
    const control = await Unixctl.connect(path)
    const got = await Promise.all(results.map(() => control.call('ask')))
    control.close()
    return got
  } finally {
    server.close()
    await rm(dir, { recursive: true })
  }
}

test('answers that come in any pieces, with braces, quotes and backslashes in them', async (t) => {
  const text = fc.array(fc.constantFrom('{', '}', '"', '\\', '\n', 'ä', 'zone=5'), { maxLength: 12 }).map((a) => a.join(''))
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 40 }), async (results, size) => {
      t.deepEqual(await answering(results, size), results)
    }),
    { numRuns: 60 },
  )
})

test('a long answer is read once, however many pieces it comes in', async (t) => {
  const long = 'udp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1,dport=2),zone=5}\n'.repeat(200_000)
  const [got] = await answering([long], 4096)
  t.is(got, long)
})
