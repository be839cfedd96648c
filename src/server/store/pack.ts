import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)

/**
 * JSON as raw deflate at level 1, made on the thread pool. The items of a plan repeat each other: 150 MB become 10, which costs less than
 * writing and syncing them would.
 */
export async function pack(value: unknown): Promise<Buffer> {
  return deflate(JSON.stringify(value), { level: 1 })
}

export async function unpack(bytes: Buffer): Promise<unknown> {
  return JSON.parse((await inflate(bytes)).toString('utf8'))
}
