/**
 * Writes big-endian numbers one after another. Grows between messages only (`reserve`): inside a message no length is checked, writes
 * beyond the end are lost but counted, and whoever finishes a message must compare its length with the 65,535 bytes it may have.
 */
export class ByteWriter {
  buffer: Buffer
  at = 0

  constructor(size = 4096) {
    this.buffer = Buffer.alloc(size)
  }

  /** Room for `size` more bytes. */
  reserve(size: number): void {
    if (this.at + size <= this.buffer.length) return
    const grown = Buffer.alloc(Math.max(this.buffer.length * 2, this.at + size))
    this.buffer.copy(grown, 0, 0, this.at)
    this.buffer = grown
  }

  u8(value: number): void {
    this.buffer[this.at++] = value
  }

  u16(value: number): void {
    const { buffer, at } = this
    buffer[at] = value >>> 8
    buffer[at + 1] = value
    this.at = at + 2
  }

  u32(value: number): void {
    const { buffer, at } = this
    buffer[at] = value >>> 24
    buffer[at + 1] = value >>> 16
    buffer[at + 2] = value >>> 8
    buffer[at + 3] = value
    this.at = at + 4
  }

  u64(value: bigint): void {
    this.u32(Number((value >> 32n) & 0xffffffffn))
    this.u32(Number(value & 0xffffffffn))
  }

  /** The lowest `bytes` bytes of a number. */
  big(value: bigint, bytes: number): void {
    switch (bytes) {
      case 1:
        this.u8(Number(value))
        return
      case 2:
        this.u16(Number(value))
        return
      case 4:
        this.u32(Number(value))
        return
      case 6:
        this.u16(Number(value >> 32n))
        this.u32(Number(value & 0xffffffffn))
        return
      case 8:
        this.u64(value)
        return
      default:
        this.u64(value >> 64n)
        this.u64(value & 0xffffffffffffffffn)
        return
    }
  }

  bytes(data: Uint8Array): void {
    this.buffer.set(data.subarray(0, Math.max(0, this.buffer.length - this.at)), Math.min(this.at, this.buffer.length))
    this.at += data.length
  }

  zeros(count: number): void {
    this.buffer.fill(0, this.at, this.at + count)
    this.at += count
  }

  /** Zeros up to a multiple of 8 bytes, counted from `start`. */
  pad8(start: number): void {
    this.zeros((8 - ((this.at - start) & 7)) & 7)
  }

  /** Overwrites 16 bits that were left open. */
  set16(at: number, value: number): void {
    this.buffer[at] = value >>> 8
    this.buffer[at + 1] = value
  }

  set32(at: number, value: number): void {
    this.set16(at, value >>> 16)
    this.set16(at + 2, value & 0xffff)
  }

  /** What was written so far. */
  done(): Buffer {
    return this.buffer.subarray(0, this.at)
  }
}

/** An unsigned number of 1 to 16 bytes. */
export function readBig(buffer: Buffer, at: number, bytes: number): bigint {
  if (bytes <= 6) return BigInt(buffer.readUIntBE(at, bytes))
  if (bytes === 8) return buffer.readBigUInt64BE(at)
  return (buffer.readBigUInt64BE(at) << 64n) | buffer.readBigUInt64BE(at + 8)
}
