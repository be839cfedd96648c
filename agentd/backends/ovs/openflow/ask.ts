import { ByteWriter } from './bytes.ts'
import type { Connection, Message } from './connection.ts'
import { TYPE } from './constants.ts'
import { OpenFlowError, unreadable } from './error.ts'
import { finishMessage, putHeader, ROOM } from './flow-mod.ts'

type Put = (w: ByteWriter) => void

/** A whole message. */
export function message(type: number, xid: number, put: Put): Buffer {
  const w = new ByteWriter(ROOM)
  putHeader(w, type, xid)
  put(w)
  finishMessage(w, 0, () => `message type ${type}`)
  // Small messages must not hold 64 kB while they wait in the socket.
  return Buffer.from(w.done())
}

/** Waits for the answers to message `xid` until `onMessage` finds them complete. Rejects with OpenFlowError: `refused`, `timeout`, `closed`. */
function awaitAnswer(connection: Connection, xid: number, timeout: number, onMessage: (message: Message) => boolean): Promise<Message> {
  if (connection.closed !== undefined) return Promise.reject(connection.closed)
  return new Promise((resolve, reject) => {
    const fail = (error: OpenFlowError): void => {
      clearTimeout(timer)
      connection.unlisten(xid)
      reject(error)
    }
    const timer = setTimeout(() => fail(new OpenFlowError('timeout', `the bridge did not answer within ${timeout} ms`)), timeout)
    connection.listen(xid, {
      onMessage: (answer) => {
        try {
          if (!onMessage(answer)) return false
        } catch (error) {
          const why = unreadable(error)
          if (why === undefined) throw error
          fail(new OpenFlowError('protocol', `the bridge's answer cannot be read: ${why}`, { cause: error }))
          return true
        }
        clearTimeout(timer)
        resolve(answer)
        return true
      },
      onError: (_, name) => fail(refused('the bridge refused the request', name)),
      onClose: fail,
    })
  })
}

function refused(what: string, name: string): OpenFlowError {
  return new OpenFlowError('refused', `${what}: ${name}`, { failures: [{ name, text: name }] })
}

async function converse(
  connection: Connection,
  type: number,
  put: Put,
  timeout: number,
  onMessage: (message: Message) => boolean,
): Promise<Message> {
  const xid = connection.takeXids(1)
  const bytes = message(type, xid, put)
  const answer = awaitAnswer(connection, xid, timeout, onMessage)
  // A broken connection rejects the answer too.
  connection.write(bytes).catch(() => {})
  return await answer
}

/** One request, one answer. */
export function ask(connection: Connection, type: number, put: Put, timeout: number): Promise<Message> {
  return converse(connection, type, put, timeout, () => true)
}

/**
 * A message that is answered only when it is refused: a barrier behind it tells that it was not. `put` writes the whole message
 * under the number it is given.
 */
export async function orderWhole(connection: Connection, put: (w: ByteWriter, xid: number) => void, timeout: number): Promise<void> {
  let refusal: OpenFlowError | undefined
  const xid = connection.takeXids(2)
  const w = new ByteWriter(2 * ROOM)
  put(w, xid)
  w.bytes(message(TYPE.BARRIER_REQUEST, xid + 1, () => {}))
  const onError = (_: number, name: string): void => {
    refusal = refused('the bridge refused', name)
  }
  connection.listen(xid, { onMessage: () => false, onError, onClose: () => {} })
  try {
    const answer = awaitAnswer(connection, xid + 1, timeout, () => true)
    connection.write(Buffer.from(w.done())).catch(() => {})
    await answer
  } finally {
    connection.unlisten(xid)
  }
  if (refusal !== undefined) throw refusal
}

/** The same for a message of which only the body is left to write. */
export async function order(connection: Connection, type: number, put: Put, timeout: number): Promise<void> {
  await orderWhole(connection, (w, xid) => w.bytes(message(type, xid, put)), timeout)
}

const MORE = 1
const PART_HEADER = 8

/** A multipart request; `onPart` gets the body of each part of the answer. */
export async function askParts(
  connection: Connection,
  part: number,
  put: Put,
  timeout: number,
  onPart: (body: Buffer) => void,
): Promise<void> {
  await converse(
    connection,
    TYPE.MULTIPART_REQUEST,
    (w) => {
      w.u16(part)
      w.zeros(6)
      put(w)
    },
    timeout,
    ({ body }) => {
      onPart(body.subarray(PART_HEADER))
      return (body.readUInt16BE(2) & MORE) === 0
    },
  )
}
