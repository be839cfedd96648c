import test from 'ava'
import { portMasks } from '../../../../../agentd/backends/ovs/compile/port-masks.ts'

/** Vectors of Neutron's `port_rule_masking`. */
const COUNTS: readonly (readonly [first: number, last: number, masks: number])[] = [
  [22, 22, 1],
  [80, 443, 8],
  [1000, 1999, 7],
  [1, 1023, 10],
  [1024, 65535, 6],
  [0, 65535, 1],
  [1, 65535, 16],
  [65535, 65535, 1],
]

function covers(first: number, last: number, port: number): number {
  return portMasks(first, last).filter(({ value, mask }) => (BigInt(port) & (mask ?? 0xffffn)) === value).length
}

test('as few blocks as Neutron has', (t) => {
  for (const [first, last, masks] of COUNTS) t.is(portMasks(first, last).length, masks, `${first}–${last}`)
})

test('every port of the range is in exactly one block, and no other port in any', (t) => {
  for (const [first, last] of [...COUNTS, [5000, 5003], [79, 81], [32767, 32769], [12345, 54321]] as const) {
    const wrong = Array.from({ length: 65536 }, (_, port) => port).filter(
      (port) => covers(first, last, port) !== (port >= first && port <= last ? 1 : 0),
    )
    t.deepEqual(wrong, [], `${first}–${last}`)
  }
})
