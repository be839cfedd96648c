import { isUtf8 } from 'node:buffer'
import { Ajv, type ValidateFunction } from 'ajv'
import { deltaSchema, type ObjectSchema, publishedSchemas, replySchemas, requestSchemas } from '../../schemas/wire.ts'
import { isRecord } from '../lib/json.ts'
import type { ScopeDelta } from '../model/scope.ts'
import {
  type Ask,
  type Heartbeat,
  MAX_MESSAGE,
  OLDEST_WIRE_VERSION,
  type Published,
  type Refusal,
  type Reply,
  type Request,
  type Speaks,
  type UpdateHeader,
} from './messages.ts'
import { commonVersion, isSpoken, SPEAKS, speaksText } from './versions.ts'

/** Bytes from the other side become a typed message or one of these. Decoding never throws. */
export type Decoded<T> = { readonly ok: true; readonly message: T } | { readonly ok: false; readonly refusal: DecodeRefusal }

export interface DecodeRefusal {
  readonly code: 'oversize' | 'malformed' | 'version'
  /** One line: what is wrong with it. */
  readonly message: string
  /** As far as they could be read, so that a request can be answered at all. */
  readonly id: string
  readonly host: string
  /** The version in which the refusal will be understood. */
  readonly v: number
}

/** A PUB message after decoding: an update comes with its deltas, in the order of `header.deltas`. */
export type Received =
  | { readonly type: 'update'; readonly header: UpdateHeader; readonly deltas: readonly ScopeDelta[] }
  | { readonly type: 'heartbeat'; readonly header: Heartbeat }
  | { readonly type: 'ask'; readonly header: Ask }

/** Deeper JSON than any message of ours: code that walks a value recursively must not be led into a stack overflow. */
const MAX_DEPTH = 48

const ajv = new Ajv({ strict: true, strictRequired: false, allErrors: false, validateFormats: false })
const validators = {
  request: compileAll(requestSchemas),
  reply: compileAll(replySchemas),
  published: compileAll(publishedSchemas),
  delta: lazily<ScopeDelta>(deltaSchema),
}

/** One JSON frame. `undefined` members are left out. */
export function encodeText(message: Request | Reply | Published | ScopeDelta): string {
  return JSON.stringify(message)
}

/** `encodeText` as bytes. */
export function encode(message: Request | Reply | Published | ScopeDelta): Buffer {
  return Buffer.from(encodeText(message))
}

/** For a thread that answers requests, before it takes the first: that one would wait for it otherwise. */
export function compileRequests(): void {
  for (const made of validators.request.values()) made()
}

/** A `hello` may be in a version that is not spoken here any more, if it names one that is. */
export function decodeRequest(bytes: Uint8Array): Decoded<Request> {
  return decode<Request>(bytes, validators.request, SPEAKS)
}

export function decodeReply(bytes: Uint8Array, speaks: Speaks = SPEAKS): Decoded<Reply> {
  return decode<Reply>(bytes, validators.reply, speaks)
}

/** `frames` = [topic, header, …deltas]. Deltas whose frame is bad are refused with the whole message: a pull brings the truth. */
export function decodePublished(frames: readonly Uint8Array[], speaks: Speaks = SPEAKS): Decoded<Received> {
  const [, head, ...rest] = frames
  if (head === undefined) return refuse('malformed', 'no header frame', undefined)
  const header = decode<Published>(head, validators.published, speaks)
  if (!header.ok) return header
  const message = header.message
  if (message.type !== 'update') {
    if (rest.length > 0) return refuse('malformed', `${message.type} with ${rest.length} frames too many`, message)
    return { ok: true, message: message.type === 'ask' ? { type: 'ask', header: message } : { type: 'heartbeat', header: message } }
  }
  if (rest.length !== message.deltas.length)
    return refuse('malformed', `${message.deltas.length} deltas named, ${rest.length} sent`, message)
  const deltas: ScopeDelta[] = []
  for (const [i, frame] of rest.entries()) {
    const delta = decodeDelta(frame)
    if (!delta.ok) return delta
    const named = message.deltas[i]
    if (delta.message.scope !== named?.scope || delta.message.from !== named.from || delta.message.to !== named.to) {
      return refuse('malformed', `frame ${i + 2} is not the delta that the header names`, message)
    }
    deltas.push(delta.message)
  }
  return { ok: true, message: { type: 'update', header: message, deltas } }
}

export function decodeDelta(bytes: Uint8Array): Decoded<ScopeDelta> {
  const parsed = parse(bytes)
  if (!parsed.ok) return parsed
  const value: unknown = parsed.message
  const validate = validators.delta()
  return validate(value) ? { ok: true, message: value } : refuse('malformed', sentence(validate), parsed.message)
}

/** What a server answers to bytes it cannot accept. */
export function refusalReply(refusal: DecodeRefusal): Refusal {
  return {
    v: refusal.v,
    id: refusal.id,
    type: 'refused',
    code: refusal.code === 'version' ? 'version' : 'malformed',
    message: refusal.message,
  }
}

function decode<T extends { readonly type: string }>(
  bytes: Uint8Array,
  byType: ReadonlyMap<string, () => ValidateFunction>,
  speaks: Speaks,
): Decoded<T> {
  const parsed = parse(bytes)
  if (!parsed.ok) return parsed
  const value = parsed.message
  const offered = value['type'] === 'hello' ? readSpeaks(value['speaks']) : undefined
  if (offered === undefined ? !isSpoken(speaks, value['v']) : commonVersion(offered, speaks) === undefined) {
    const other = offered === undefined ? text(value['v']) : speaksText(offered)
    return refuse('version', `wire version ${other}, this side speaks ${speaksText(speaks)}: bring both to the same release`, value)
  }
  const validate = typeof value['type'] === 'string' ? byType.get(value['type'])?.() : undefined
  if (validate === undefined) return refuse('malformed', `unknown message type ${text(value['type'])}`, value)
  // The validator has just proved the shape that T describes.
  return validate(value) ? { ok: true, message: value as unknown as T } : refuse('malformed', sentence(validate), value)
}

function readSpeaks(value: unknown): Speaks | undefined {
  if (!isRecord(value)) return undefined
  const { min, max } = value
  return Number.isSafeInteger(min) && Number.isSafeInteger(max) ? { min: Number(min), max: Number(max) } : undefined
}

/** Size before parsing, then UTF-8, JSON, depth and `__proto__`. */
function parse(bytes: Uint8Array): Decoded<Record<string, unknown>> {
  if (bytes.byteLength > MAX_MESSAGE) return refuse('oversize', `${bytes.byteLength} bytes, at most ${MAX_MESSAGE} are accepted`, undefined)
  if (!isUtf8(bytes)) return refuse('malformed', 'not UTF-8', undefined)
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch {
    return refuse('malformed', 'not JSON', undefined)
  }
  if (!isRecord(value)) return refuse('malformed', 'not a JSON object', undefined)
  const fault = treeFault(value, 0)
  return fault === undefined ? { ok: true, message: value } : refuse('malformed', fault, value)
}

/** JSON.parse makes `__proto__` an ordinary member, but copying it by assignment elsewhere would set a prototype: such text is refused. */
function treeFault(value: unknown, depth: number): string | undefined {
  if (value === null || typeof value !== 'object') return undefined
  if (depth > MAX_DEPTH) return `nested deeper than ${MAX_DEPTH}`
  if (Array.isArray(value)) {
    for (const member of value) {
      const fault = treeFault(member, depth + 1)
      if (fault !== undefined) return fault
    }
    return undefined
  }
  for (const [key, member] of Object.entries(value)) {
    if (key === '__proto__') return 'a member is called __proto__'
    const fault = treeFault(member, depth + 1)
    if (fault !== undefined) return fault
  }
  return undefined
}

function refuse(
  code: DecodeRefusal['code'],
  message: string,
  value: object | undefined,
): { readonly ok: false; readonly refusal: DecodeRefusal } {
  const read = (key: string): string => {
    const member: unknown = value !== undefined && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
    return typeof member === 'string' && member.length <= 1024 ? member : ''
  }
  const v: unknown = value !== undefined && Object.hasOwn(value, 'v') ? Reflect.get(value, 'v') : undefined
  const known = typeof v === 'number' && Number.isSafeInteger(v) && v >= 0
  return { ok: false, refusal: { code, message, id: read('id'), host: read('host'), v: known ? v : OLDEST_WIRE_VERSION } }
}

function text(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 60)
}

function sentence(validate: ValidateFunction): string {
  const [error] = validate.errors ?? []
  return error === undefined
    ? 'not valid'
    : `${error.instancePath === '' ? 'message' : error.instancePath} ${error.message ?? error.keyword}`.slice(0, 300)
}

function compileAll(schemas: Readonly<Record<string, ObjectSchema>>): ReadonlyMap<string, () => ValidateFunction> {
  return new Map(Object.entries(schemas).map(([type, schema]) => [type, lazily<unknown>(schema)]))
}

/** Compiled when it is first asked for: an agent needs half of the messages, and compiling all of them is a good part of its start. */
function lazily<T>(schema: ObjectSchema): () => ValidateFunction<T> {
  let made: ValidateFunction<T> | undefined
  return () => (made ??= compile<T>(schema))
}

function compile<T>(schema: ObjectSchema): ValidateFunction<T> {
  const plain: Record<string, unknown> = { ...schema }
  return ajv.compile<T>(plain)
}
