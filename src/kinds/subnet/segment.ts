import type { SubnetDeclared } from '../../../schemas/subnet.ts'
import { didYouMean } from '../../lib/suggest.ts'
import type { Finding } from '../../model/issue.ts'
import { displayKey } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { View } from '../kind.ts'
import type { NetworkSpec } from '../network/spec.ts'

/** A routed network (Neutron's extension segment): its subnets are on segments, all of them or none. */
export function segmentFindings(resource: Declared, view: View): readonly Finding[] {
  const subnet = resource.spec as SubnetDeclared
  return [...unknownSegment(subnet, view), ...mixture(resource, subnet, view)]
}

function unknownSegment({ network: name, segment }: SubnetDeclared, view: View): Finding[] {
  if (segment === undefined) return []
  const network = view.need<NetworkSpec>(view.ref('network', name))
  const names = (network.spec.segments ?? []).flatMap((s) => s.name ?? [])
  if (names.includes(segment)) return []
  const near = didYouMean(segment, names)
  return [
    {
      code: 'E0343',
      message: `network ${name} has no segment that is named ${segment}; there are ${names.join(', ') || 'none with a name'}`,
      at: ['segment'],
      related: [{ message: 'its segments', key: network.key, at: ['segments'] }],
      hint:
        near === undefined ? `add name: ${segment} to an entry of segments of network ${name}, or remove segment` : `did you mean ${near}?`,
    },
  ]
}

/** Of two that differ, the one whose identity sorts later is told. */
function mixture(resource: Declared, subnet: SubnetDeclared, view: View): Finding[] {
  const [first] = view.users(view.ref('network', subnet.network), 'subnet')
  const other = first === undefined || first === resource.key ? undefined : view.declared(first)
  if (first === undefined || other === undefined) return []
  const theirs = (other.spec as SubnetDeclared).segment
  if ((theirs === undefined) === (subnet.segment === undefined)) return []
  const said = (segment: string | undefined): string => (segment === undefined ? 'on none' : `on segment ${segment}`)
  return [
    {
      code: 'E0344',
      message: `subnet ${resource.name} is ${said(subnet.segment)}, and ${displayKey(first)} of the same network ${subnet.network} ${said(theirs)}`,
      at: subnet.segment === undefined ? [] : ['segment'],
      related: [{ message: `${displayKey(first)} is ${said(theirs)}`, key: first, ...(theirs === undefined ? {} : { at: ['segment'] }) }],
      hint: 'write segment in all subnets of the network, or in none',
    },
  ]
}
