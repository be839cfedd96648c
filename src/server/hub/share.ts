import { readSignature } from '../../wire/signature.ts'
import type { Letter } from './rpc-protocol.ts'

/** Where the name of the host stands in a request of ours, at the latest. */
const HEAD = 512
const HOST = /"host":"([^"\\]+)"/

/**
 * Which of so many clerks a request belongs to. A host always has the same one, because its counts and its place in the line are there. Whom the request only claims to be from does not matter:
 * the clerk of the host that is claimed refuses it. Without a signature the text says it, and where it does not, the connection does.
 */
export function shareOf({ envelope, body }: Pick<Letter, 'envelope' | 'body'>, clerks: number): number {
  const [frame] = body
  const signed = body.length > 1 && frame !== undefined ? readSignature(frame)?.host : undefined
  const text = Buffer.from(body.at(-1)?.subarray(0, HEAD) ?? []).toString('utf8')
  return fold(signed ?? HOST.exec(text)?.[1] ?? Buffer.from(envelope[0] ?? []).toString('latin1')) % clerks
}

/** FNV-1a, 32 bits. */
function fold(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
