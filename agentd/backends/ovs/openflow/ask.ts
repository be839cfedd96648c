import { ByteWriter } from './bytes.ts'
import type { Connection, Message } from './connection.ts'
import { TYPE } from './constants.ts'
import { OpenFlowError } from './error.ts'
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

/** Sends a request and resolves with what `onMessage` finds complete. Rejects with OpenFlowError: `refused`, `timeout`, `closed`. */
function converse(
  connection: Connection,
  type: number,
  put: Put,
  timeout: number,
  onMessage: (message: Message) => boolean,
): Promise<Message> {
  const xid = connection.takeXids(1)
  return new Promise((resolve, reject) => {
    const fail = (error: OpenFlowError): void => {
      clearTimeout(timer)
      connection.unlisten(xid)
      reject(error)
    }
    const timer = setTimeout(() => fail(new OpenFlowError('timeout', `the bridge did not answer within ${timeout} ms`)), timeout)
    connection.listen(xid, {
      onMessage: (answer) => {
        if (!onMessage(answer)) return false
        clearTimeout(timer)
        resolve(answer)
        return true
      },
      onError: (_, name) =>
        fail(new OpenFlowError('refused', `the bridge refused the request: ${name}`, { failures: [{ name, text: name }] })),
      onClose: fail,
    })
    connection.write(message(type, xid, put)).catch((error: unknown) => fail(error as OpenFlowError))
  })
}

/** One request, one answer. */
export function ask(connection: Connection, type: number, put: Put, timeout: number): Promise<Message> {
  return converse(connection, type, put, timeout, () => true)
}

/** A message that is answered only when it is refused: a barrier behind it tells that it was not. */
export async function order(connection: Connection, type: number, put: Put, timeout: number): Promise<void> {
  let refusal: OpenFlowError | undefined
  const xid = connection.takeXids(1)
  connection.listen(xid, {
    onMessage: () => false,
    onError: (_, name) => {
      refusal = new OpenFlowError('refused', `the bridge refused: ${name}`, { failures: [{ name, text: name }] })
    },
    onClose: () => {},
  })
  try {
    await connection.write(message(type, xid, put))
    await ask(connection, TYPE.BARRIER_REQUEST, () => {}, timeout)
  } finally {
    connection.unlisten(xid)
  }
  if (refusal !== undefined) throw refusal
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
