import type { AddressGroupDeclared } from '../../../schemas/address-group.ts'
import { canonicalPrefix } from '../../lib/cidr.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import type { Normalised } from '../kind.ts'

/** Addresses as prefixes in canonical form, at their places. One that is there twice says nothing more: Neutron drops it without a word. */
export function normaliseAddressGroup(spec: JsonObject): Normalised {
  const { addresses } = spec as AddressGroupDeclared
  if (addresses === undefined) return { spec, findings: [] }
  const findings: Finding[] = []
  const seen = new Map<string, number>()
  const normal = addresses.map((text, i) => {
    const at = ['addresses', i]
    const prefix = canonicalPrefix(text)
    const first = seen.get(prefix ?? '')
    if (prefix === undefined) {
      const message = `${text} is no address and no prefix`
      findings.push({ code: 'E0295', message, at, hint: 'write it like 10.1.0.0/16, 2001:db8::/32 or 192.0.2.7' })
    } else if (first !== undefined) {
      const message = `${prefix} is there twice (places ${first + 1} and ${i + 1})`
      findings.push({ code: 'W0295', severity: 'warning', message, at, hint: 'remove one' })
    } else seen.set(prefix, i)
    return prefix ?? text
  })
  return { spec: { ...spec, addresses: normal }, findings }
}
