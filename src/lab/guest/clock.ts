/** Milliseconds of the machine's monotonic clock: comparable between all processes of one machine. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
