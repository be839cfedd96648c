/** The longest envelope frame that is accepted; ours have five bytes. Longer ones would be sent back without a copy (see `front.ts`). */
const LONGEST = 128
/** A signature, and what it is for. */
const MOST_FRAMES = 2

/**
 * What a ROUTER receives from a REQ: [peer, request id…, empty, …body]. The envelope goes back in front of the reply as it came; undefined for
 * frames that no REQ of ours can have sent.
 */
export function splitEnvelope<F extends Uint8Array>(
  frames: readonly F[],
): { readonly envelope: readonly F[]; readonly body: readonly F[] } | undefined {
  const empty = frames.findIndex((frame, i) => i > 0 && frame.byteLength === 0)
  const body = frames.slice(empty + 1)
  if (empty < 0 || body.length === 0 || body.length > MOST_FRAMES) return undefined
  if (frames.some((frame, i) => i < empty && frame.byteLength > LONGEST)) return undefined
  return { envelope: frames.slice(0, empty + 1), body }
}
