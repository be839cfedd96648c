import test from 'ava'
import fc from 'fast-check'
import { formatFlow } from '../../../../../agentd/backends/ovs/flow/format.ts'
import { parseFlow } from '../../../../../agentd/backends/ovs/flow/parse.ts'
import { ByteWriter } from '../../../../../agentd/backends/ovs/openflow/bytes.ts'
import { OpenFlowError, unreadable } from '../../../../../agentd/backends/ovs/openflow/error.ts'
import { errorName } from '../../../../../agentd/backends/ovs/openflow/error-names.ts'
import { putFlowMod, ROOM } from '../../../../../agentd/backends/ovs/openflow/flow-mod.ts'
import { MessageCutter } from '../../../../../agentd/backends/ovs/openflow/message-cutter.ts'
import { readInstructions } from '../../../../../agentd/backends/ovs/openflow/read-actions.ts'
import { readMatch } from '../../../../../agentd/backends/ovs/openflow/read-oxm.ts'
import { anyFlow } from '../flow/arbitrary.ts'

function bytesOf(text: string): Buffer {
  const w = new ByteWriter(ROOM)
  putFlowMod(w, { command: 'add', flow: parseFlow(text) }, 0)
  return w.done()
}

test('broken bytes are refused, never misread into a crash or an endless loop', (t) => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(anyFlow(), damage, fc.nat(), (flow, changes, cut) => {
      const bytes = Buffer.from(bytesOf(formatFlow(flow))).subarray(48)
      for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
      const b = bytes.subarray(0, bytes.length - (cut % 16 === 0 ? cut % bytes.length : 0))
      try {
        const { match, end } = readMatch(b, 0)
        formatFlow({ ...flow, match, actions: readInstructions(b, end, b.length) })
      } catch (error) {
        if (unreadable(error) === undefined) throw error
      }
    }),
    { numRuns: 3000 },
  )
  t.pass()
})

test('messages are cut out of the stream wherever its pieces end', (t) => {
  const message = fc.uint8Array({ maxLength: 40 }).map((body) => {
    const bytes = Buffer.concat([Buffer.alloc(8), body])
    bytes.writeUInt16BE(bytes.length, 2)
    return bytes
  })
  fc.assert(
    fc.property(fc.array(message), fc.infiniteStream(fc.integer({ min: 1, max: 20 })), (messages, cuts) => {
      const stream = Buffer.concat(messages)
      const cutter = new MessageCutter()
      const got: Buffer[] = []
      for (let i = 0; i < stream.length; ) {
        const step = cuts.next().value
        got.push(...cutter.push(stream.subarray(i, i + step)).map((m) => Buffer.from(m)))
        i += step
      }
      t.deepEqual(got, messages)
    }),
    { numRuns: 200 },
  )
  t.throws(() => new MessageCutter().push(Buffer.alloc(8)), { instanceOf: OpenFlowError })
})

test('errors are told by name', (t) => {
  t.is(errorName(Buffer.from('00040009', 'hex')), 'OFPBMC_BAD_PREREQ')
  t.is(errorName(Buffer.from('0011000d', 'hex')), 'OFPBFC_MSG_FAILED')
  t.is(errorName(Buffer.from('ffff000f00002320', 'hex')), 'NXBAC_BAD_CONJUNCTION')
  t.is(errorName(Buffer.from('00630001', 'hex')), 'error type 99 code 1')
})

test('instructions out of order are refused: OVS would execute them in another order than they are written', (t) => {
  for (const actions of ['goto_table:5,output:1', 'output:1,meter:3', 'write_metadata:1,output:2', 'goto_table:4,goto_table:5']) {
    t.is(t.throws(() => bytesOf(`table=1,actions=${actions}`), { instanceOf: OpenFlowError })?.code, 'encode', actions)
  }
})
