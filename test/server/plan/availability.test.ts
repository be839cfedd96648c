import test from 'ava'
import type { Key } from '../../../src/model/key.ts'
import { availability } from '../../../src/server/plan/availability.ts'
import { renderAvailability } from '../../../src/server/render/availability.ts'
import { build, engine } from '../../support/world.ts'

const YAML = `
networks: { blue: {}, red: {} }
subnets:
  blue-v4: { network: blue, cidr: 10.10.0.0/29 }
  blue-v6: { network: blue, cidr: 'fd00::/64' }
  red-v4: { network: red, cidr: 10.20.0.0/24, allocation_pools: [{ start: 10.20.0.10, end: 10.20.0.19 }] }
ports:
  a: { network: blue, fixed_ips: [{ subnet: blue-v4 }] }
  b: { network: blue, fixed_ips: [{ subnet: blue-v4 }] }
  c: { network: blue, fixed_ips: [{ ip_address: 10.10.0.5 }] }
  d: { network: blue, fixed_ips: [{ subnet: blue-v4 }] }
  outside: { network: red, fixed_ips: [{ ip_address: 10.20.0.200 }] }
`

test('what each subnet has, what is used, what is kept for those who are gone, what is left', (t) => {
  const world = build(YAML)
  const gone = engine.step(world, { set: [], del: ['port/default/a' as Key] }, { now: 1 }).world
  t.deepEqual(
    availability(gone).map(({ subnet, total, used, reserved, free }) => [subnet, total, used, reserved, free]),
    [
      ['subnet/default/blue-v4', 5n, 3, 1, 2n],
      ['subnet/default/blue-v6', 2n ** 64n - 1n, 0, 0, 2n ** 64n - 1n],
      // An address written outside of the pools is used, and takes nothing from what may be chosen.
      ['subnet/default/red-v4', 10n, 1, 0, 10n],
    ],
  )
  t.is(
    renderAvailability(availability(gone)),
    `NETWORK       SUBNET   CIDR          TOTAL  USED  RESERVED   FREE
default/blue  blue-v4  10.10.0.0/29      5     3         1      2
default/blue  blue-v6  fd00::/64     ≈2^64     0         0  ≈2^64
default/red   red-v4   10.20.0.0/24     10     1         0     10
`,
  )
})
