import { linkLocalAddress } from '../../../../src/lib/mac.ts'
import type { AttachIntent } from '../../../../src/model/intent.ts'
import { compareText } from '../../../../src/model/key.ts'
import type { Item } from '../../backend.ts'
import type { FieldValue } from '../flow/types.ts'
import { flowItem, goto, set } from './build.ts'
import { cookieOf } from './cookie.ts'
import { registerBits } from './registers.ts'
import { macMatch, prefixMatch } from './words.ts'

/**
 * What a port with port security may send (Neutron's OVS firewall, table 71): a flow for each MAC, and one for each address under each MAC. What is done with every kind of frame stands in
 * `shared.ts`.
 */
export function guardItems(attach: AttachIntent, sender: number): readonly Item[] {
  const common = { cookie: cookieOf(attach.port), owners: [attach.port], priority: 50 }
  const out: Item[] = []
  for (const [text, prefixes] of allowedByMac(attach)) {
    const mac = macMatch(text)
    const match = { eth_src: mac }
    const owns = (family: 4 | 6, address: FieldValue | undefined): Item =>
      flowItem({
        ...common,
        table: 'guard_owner',
        registers: { sender, claim_v4: family === 4 ? 1 : 0 },
        match: { ...match, ...registerBits('claim', family === 4 ? 32 : 128, address) },
        actions: [set('owned', 1)],
      })
    const lladdr = registerBits('lladdr', 48, mac)
    out.push(
      flowItem({ ...common, table: 'guard_lladdr', registers: { sender }, match: { ...match, ...lladdr }, actions: [goto('guard_claim')] }),
    )
    out.push(owns(6, { value: linkLocalAddress(text) }))
    for (const prefix of prefixes) {
      const { family, field } = prefixMatch(prefix)
      out.push(owns(family, field))
    }
  }
  return out
}

/** Source prefixes by MAC, sorted; the port's own MAC is always there. Every MAC may use its IPv6 link-local address besides. */
function allowedByMac(attach: AttachIntent): ReadonlyMap<string, readonly string[]> {
  const out = new Map<string, string[]>([[attach.mac, []]])
  for (const { mac, prefix } of attach.allowed) {
    const known = out.get(mac)
    if (known === undefined) out.set(mac, [prefix])
    else if (!known.includes(prefix)) known.push(prefix)
  }
  return new Map([...out].sort(([a], [b]) => compareText(a, b)))
}
