import { connect, type Socket } from 'node:net'
import { ByteWriter } from './bytes.ts'
import { OPENFLOW_14, TYPE } from './constants.ts'
import { OpenFlowError, unreadable } from './error.ts'
import { errorName } from './error-names.ts'
import { finishMessage, putHeader, ROOM } from './flow-mod.ts'
import { MessageCutter } from './message-cutter.ts'

/** A message without its header. */
export interface Message {
  readonly type: number
  readonly xid: number
  readonly body: Buffer
}

/** What is waiting for answers to one message, or to a row of them. */
export interface Conversation {
  /** True when this was the last answer. */
  onMessage(message: Message): boolean
  /** The switch refused message `xid`; `name` is OVS's name of the error. */
  onError(xid: number, name: string): void
  onClose(error: OpenFlowError): void
}

/** A row of messages of which only refusals matter. */
export interface Range {
  readonly first: number
  readonly count: number
  readonly onError: (xid: number, name: string) => void
}

/** One connection to a bridge: bytes, hello, echo, and who gets which answer. */
export class Connection {
  readonly #socket: Socket
  readonly #cutter: MessageCutter = new MessageCutter()
  readonly #waiting: Map<number, Conversation> = new Map()
  readonly #onUnasked: (message: Message) => void
  readonly #onClose: (error: OpenFlowError) => void
  #range: Range | undefined
  #closed: OpenFlowError | undefined
  #nextXid = 1

  private constructor(socket: Socket, onUnasked: (message: Message) => void, onClose: (error: OpenFlowError) => void) {
    this.#socket = socket
    this.#onUnasked = onUnasked
    this.#onClose = onClose
    socket.on('error', (cause) => this.end(new OpenFlowError('closed', `the connection to the bridge broke: ${cause.message}`, { cause })))
    socket.on('close', () => this.end(new OpenFlowError('closed', 'the bridge closed the connection')))
  }

  /** Connects and agrees on OpenFlow 1.4. Throws OpenFlowError `connect`. */
  static async open(
    path: string,
    timeout: number,
    onUnasked: (message: Message) => void,
    onClose: (error: OpenFlowError) => void,
  ): Promise<Connection> {
    const socket = await openSocket(path, timeout)
    const connection = new Connection(socket, onUnasked, onClose)
    try {
      await connection.#greet(timeout)
    } catch (error) {
      socket.destroy()
      throw error
    }
    return connection
  }

  get closed(): OpenFlowError | undefined {
    return this.#closed
  }

  /** Numbers for `count` messages in a row. */
  takeXids(count: number): number {
    if (this.#nextXid + count > 0xfffffffe) this.#nextXid = 1
    const first = this.#nextXid
    this.#nextXid += count
    return first
  }

  /** `conversation` gets the answers to `xid`. */
  listen(xid: number, conversation: Conversation): void {
    this.#waiting.set(xid, conversation)
  }

  unlisten(xid: number): void {
    this.#waiting.delete(xid)
  }

  /** Refusals of a row of messages; one row at a time. */
  listenRange(range: Range | undefined): void {
    this.#range = range
  }

  /** Resolves when the socket takes more. The bytes must not change afterwards. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed
    if (this.#socket.write(bytes)) return
    await new Promise<void>((resolve) => {
      const go = (): void => {
        this.#socket.off('drain', go)
        this.#socket.off('close', go)
        resolve()
      }
      this.#socket.once('drain', go)
      this.#socket.once('close', go)
    })
    if (this.#closed !== undefined) throw this.#closed
  }

  end(error: OpenFlowError): void {
    if (this.#closed !== undefined) return
    this.#closed = error
    this.#socket.destroy()
    const waiting = new Set(this.#waiting.values())
    this.#waiting.clear()
    for (const conversation of waiting) conversation.onClose(error)
    this.#onClose(error)
  }

  #greet(timeout: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new OpenFlowError('connect', `the bridge said no hello within ${timeout} ms`)), timeout)
      const onClose = (): void => reject(new OpenFlowError('connect', 'the bridge closed the connection before its hello'))
      this.#socket.once('close', onClose)
      let greeted = false
      this.#socket.on('data', (piece: Buffer) => {
        this.#receive(piece, (message, version) => {
          if (greeted) return this.#dispatch(message)
          greeted = true
          clearTimeout(timer)
          this.#socket.off('close', onClose)
          if (message.type === TYPE.HELLO && speaks14(version, message.body)) resolve()
          else reject(new OpenFlowError('connect', 'the bridge does not speak OpenFlow 1.4; look at its column protocols'))
        })
      })
      this.#socket.write(hello())
    })
  }

  #receive(piece: Buffer, handle: (message: Message, version: number) => void): void {
    try {
      for (const bytes of this.#cutter.push(piece)) {
        if (this.#closed !== undefined) return
        handle({ type: bytes.readUInt8(1), xid: bytes.readUInt32BE(4), body: bytes.subarray(8) }, bytes.readUInt8(0))
      }
    } catch (error) {
      // Bytes that are no OpenFlow. Anything else is a fault of ours, or of a listener.
      const why = unreadable(error)
      if (why === undefined) throw error
      this.end(
        error instanceof OpenFlowError ? error : new OpenFlowError('protocol', `a message that cannot be read: ${why}`, { cause: error }),
      )
    }
  }

  #dispatch(message: Message): void {
    if (message.type === TYPE.ECHO_REQUEST) {
      this.#socket.write(simple(TYPE.ECHO_REPLY, message.xid, message.body))
      return
    }
    const conversation = this.#waiting.get(message.xid)
    if (conversation === undefined) this.#unasked(message)
    else if (message.type === TYPE.ERROR) conversation.onError(message.xid, errorName(message.body))
    else if (conversation.onMessage(message)) this.#waiting.delete(message.xid)
  }

  #unasked(message: Message): void {
    const range = this.#range
    const inRange = range !== undefined && message.xid >= range.first && message.xid < range.first + range.count
    if (inRange && message.type === TYPE.ERROR) range.onError(message.xid, errorName(message.body))
    else this.#onUnasked(message)
  }
}

/** A message whose body is known. */
function simple(type: number, xid: number, body: Uint8Array): Buffer {
  const w = new ByteWriter(ROOM)
  putHeader(w, type, xid)
  w.bytes(body)
  finishMessage(w, 0, () => `message type ${type}`)
  return w.done()
}

/** A hello that offers OpenFlow 1.4 only: OpenFlow 1.4, 7.5.1. */
function hello(): Buffer {
  const body = Buffer.alloc(8)
  body.writeUInt16BE(1, 0)
  body.writeUInt16BE(8, 2)
  body.writeUInt32BE(1 << OPENFLOW_14, 4)
  return simple(TYPE.HELLO, 0, body)
}

/** By the bitmap of versions where there is one, else by the version of the message: at least 1.4. */
function speaks14(version: number, body: Buffer): boolean {
  for (let at = 0; at + 8 <= body.length; ) {
    const length = body.readUInt16BE(at + 2)
    if (body.readUInt16BE(at) === 1) return (body.readUInt32BE(at + 4) & (1 << OPENFLOW_14)) !== 0
    at += Math.max(8, (length + 7) & ~7)
  }
  return version >= OPENFLOW_14
}

function openSocket(path: string, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path })
    const fail = (why: string, cause?: Error): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(new OpenFlowError('connect', `cannot connect to the bridge at ${path}: ${why}`, { cause }))
    }
    const timer = setTimeout(() => fail(`no answer within ${timeout} ms`), timeout)
    const onError = (cause: Error): void => fail(cause.message, cause)
    socket.once('error', onError)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', onError)
      resolve(socket)
    })
  })
}
