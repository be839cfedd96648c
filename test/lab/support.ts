import type { ExecutionContext } from 'ava'
import { execOk } from '../../src/lab/exec.ts'
import { type Lab, labDown, labUp } from '../../src/lab/lab.ts'
import type { LabGuest, LabHost, LabSpec } from '../../src/lab/spec.ts'
import { type Key, makeKey } from '../../src/model/key.ts'
import { testTag } from '../support/tag.ts'

export function port(name: string): Key {
  return makeKey('port', 'default', name)
}

/** Host number `n`: `h<n>`, tunnel address 192.0.2.<n> or fd11::<n>, physical network `physnet1` on br-ex. */
export function host(n: number, family: 4 | 6 = 4): LabHost {
  return { name: `h${n}`, tunnel_ip: family === 4 ? `192.0.2.${n}` : `fd11::${n}`, bridge_mappings: { physnet1: 'br-ex' } }
}

/** Guest `p<host><n>` with 10.10.<host>.<n>/16 and fd00::<host>:<n>/64. */
export function guest(hostNumber: number, n: number, more: Partial<LabGuest> = {}): LabGuest {
  return {
    port: port(`p${hostNumber}${n}`),
    id: `${hostNumber}${n}000000-0000-4000-8000-000000000000`,
    host: `h${hostNumber}`,
    mac: `fa:16:3e:00:0${hostNumber}:0${n}`,
    mtu: 1430,
    addresses: [`10.10.${hostNumber}.${n}/16`, `fd00::${hostNumber}:${n}/64`],
    ...more,
  }
}

/** A lab that is taken down at the end of the test, also when it fails. */
export async function startLab(t: ExecutionContext, spec: LabSpec): Promise<Lab> {
  const tag = testTag()
  t.teardown(async () => {
    await labDown(tag)
  })
  return await labUp(tag, spec)
}

/**
 * Turns every br-int into a plain learning switch, and joins host 1 to each other one by a VXLAN port made by hand: a star, because learning
 * switches must not form a ring.
 */
export async function joinByHand(lab: Lab): Promise<void> {
  const vsctl = async (name: string, ...words: string[]): Promise<void> => {
    await execOk(lab, { host: name }, ['ovs-vsctl', '--timeout=20', ...words])
  }
  const tunnel = async (from: LabHost, to: LabHost): Promise<void> => {
    const options = ['type=vxlan', `options:remote_ip="${to.tunnel_ip}"`, 'options:key=7']
    await vsctl(from.name, 'add-port', 'br-int', `vx-${to.name}`, '--', 'set', 'Interface', `vx-${to.name}`, ...options)
  }
  const [first, ...others] = lab.spec.hosts
  if (first === undefined) return
  for (const h of lab.spec.hosts) await vsctl(h.name, 'set-fail-mode', 'br-int', 'standalone')
  for (const h of others) {
    await tunnel(first, h)
    await tunnel(h, first)
  }
}
