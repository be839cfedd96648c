import type { FieldValue } from '../flow/types.ts'

const BITS = 16

/**
 * A range of ports (both ends included) as the fewest value/mask pairs that cover it and nothing else: 22 → 1, 80–443 → 8, 1000–1999 → 7. Aligned blocks from below, each as
 * large as it may be; no other cover has fewer (RFC 2722's port prefixes; Neutron's `port_rule_masking` gives as many).
 */
export function portMasks(first: number, last: number): readonly FieldValue[] {
  const out: FieldValue[] = []
  let at = first
  while (at <= last) {
    let size = at === 0 ? 2 ** BITS : at & -at
    while (at + size - 1 > last) size /= 2
    out.push(size === 1 ? { value: BigInt(at) } : { value: BigInt(at), mask: BigInt(2 ** BITS - size) })
    at += size
  }
  return out
}
