/** Ones' complement sum of 16-bit words (RFC 1071), going on from another; 0xffff over what carries its right checksum. An odd byte counts as if a zero followed. */
export function onesSum(b: Buffer, start = 0): number {
  let total = start
  for (let at = 0; at + 1 < b.length; at += 2) total += b.readUInt16BE(at)
  if (b.length % 2 === 1) total += b.readUInt8(b.length - 1) << 8
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return total
}

/** What to write where the checksum stands, over bytes that hold zero there. `start`: the sum of a pseudo-header. */
export function internetChecksum(b: Buffer, start = 0): number {
  return 0xffff - onesSum(b, start)
}

const ICMPV6 = 58

/** The sum over an ICMPv6 message and its pseudo-header (RFC 4443, 2.3): 0xffff with the right checksum in it, what that lacks with zero there. `addresses`: sender and receiver, 32 bytes. */
export function icmp6Sum(addresses: Buffer, message: Buffer): number {
  const rest = Buffer.alloc(8)
  rest.writeUInt32BE(message.length, 0)
  rest.writeUInt8(ICMPV6, 7)
  return onesSum(addresses, onesSum(rest, onesSum(message)))
}
