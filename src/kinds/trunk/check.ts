import type { TrunkDeclared } from '../../../schemas/trunk.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import { displayKey, type Key } from '../../model/key.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import type { View } from '../kind.ts'
import { type NetworkSpec, segmentsOf } from '../network/spec.ts'
import type { PortSpec } from '../port/spec.ts'

/** A port of the trunk with its network, and where it stands in the list. */
interface Placed {
  readonly port: Resource<PortSpec>
  readonly network: Resource<NetworkSpec>
  readonly at: ValuePath
  /** VLAN id; undefined for the parent, and where the network has none to inherit. */
  readonly id?: number
}

/** Neutron's rules for subports (B3.17; a subport's MTU, B3.4), and what the one interface asks for: one host, no interface of its own, each network once. */
export function checkTrunk(resource: Declared, view: View): readonly Finding[] {
  const { subports = [] } = resource.spec as TrunkDeclared
  const parent = placed((resource.spec as TrunkDeclared).port, ['port'], view)
  const placedSubports = subports.map((s, i) => {
    const at = placed(s.port, ['subports', i, 'port'], view)
    const id = s.segmentation_type === 'inherit' ? vlanOf(at.network) : s.segmentation_id
    return { ...at, ...(id === undefined ? {} : { id }) }
  })
  const findings = [parent, ...placedSubports].flatMap((p) => inOtherTrunk(resource, p, view))
  const byNetwork = new Map<Key, Placed>([[parent.network.key, parent]])
  const byId = new Map<number, Placed>()
  for (const subport of placedSubports) {
    findings.push(...besideParent(subport, parent))
    findings.push(...twice(subport, byNetwork.get(subport.network.key), byId.get(subport.id ?? 0)))
    byNetwork.set(subport.network.key, subport)
    if (subport.id !== undefined) byId.set(subport.id, subport)
  }
  return findings
}

function placed(name: string, at: ValuePath, view: View): Placed {
  const port = view.need<PortSpec>(view.ref('port', name))
  return { port, network: view.need<NetworkSpec>(view.ref('network', port.spec.network)), at }
}

/** The VLAN id that a subport can inherit. */
export function vlanOf(network: Resource<NetworkSpec>): number | undefined {
  const [segment, second] = segmentsOf(network.spec)
  return second === undefined && segment?.network_type === 'vlan' ? segment.segmentation_id : undefined
}

/** Of two trunks with one port, the one whose identity sorts later is told. */
function inOtherTrunk(resource: Declared, { port, at }: Placed, view: View): Finding[] {
  const [first] = view.users(port.key, 'trunk')
  if (first === undefined || first === resource.key) return []
  const related = [{ message: `${displayKey(first)} has it`, key: first }]
  return [
    { code: 'E0353', message: `port ${port.name} is in ${displayKey(first)} already`, at, related, hint: 'take it out of one of the two' },
  ]
}

function besideParent({ port, network, at, id }: Placed, parent: Placed): Finding[] {
  const related = [{ message: `the parent, port ${parent.port.name}`, key: parent.port.key }]
  const fault = (code: string, message: string, hint: string): Finding => ({
    code,
    message: `subport ${port.name} ${message}`,
    at,
    related,
    hint,
  })
  const findings: Finding[] = []
  const [own, there] = [port.spec.host, parent.port.spec.host]
  if (own !== there) {
    const message = `is on ${own === undefined ? 'no host' : `host ${own}`}, and its parent ${parent.port.name} on ${there === undefined ? 'none' : there}`
    const remove = `remove host: from port ${port.name}: a subport is where its parent is`
    findings.push(fault('E0354', message, there === undefined ? `write host: ${own} at port ${parent.port.name}, and ${remove}` : remove))
  }
  if (port.spec.plug !== undefined)
    findings.push(
      fault('E0355', 'has a plug of its own, and its frames come through its parent’s interface', `remove plug: from port ${port.name}`),
    )
  if (id === undefined) {
    const message = `inherits a VLAN id, and network ${network.name} is no vlan network with one segment`
    findings.push(fault('E0356', message, 'write segmentation_type: vlan and a segmentation_id'))
  }
  const most = parent.network.spec.mtu
  if (network.spec.mtu > most) {
    const message = `has MTU ${network.spec.mtu} from network ${network.name}, more than the ${most} of its parent’s network ${parent.network.name}`
    findings.push(fault('E0357', message, `write mtu: ${most} at network ${network.name}, or more at ${parent.network.name}`))
  }
  return findings
}

function twice({ port, network, at, id }: Placed, sameNetwork: Placed | undefined, sameId: Placed | undefined): Finding[] {
  const findings: Finding[] = []
  if (sameNetwork !== undefined) {
    const message = `port ${port.name} and port ${sameNetwork.port.name} of one trunk are both on network ${network.name}: frames between them would go out by the interface that they came in by`
    const related = [{ message: `port ${sameNetwork.port.name}`, key: sameNetwork.port.key, at: ['network'] }]
    findings.push({ code: 'E0358', message, at, related, hint: 'put one of them on another network' })
  }
  if (sameId !== undefined) {
    const message = `VLAN ${id} of subport ${port.name} is that of ${sameId.port.name}`
    findings.push({ code: 'E0351', message, at, hint: 'write segmentation_type: vlan and another segmentation_id' })
  }
  return findings
}
