import type { PortDeclared } from '../../../schemas/port.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import { takenFinding } from '../findings.ts'
import { INTEGRATION_BRIDGE } from '../host/spec.ts'
import { resourceId } from '../identity.ts'
import { interfaceNameFault } from '../interface-name.ts'
import type { Pools } from '../kind.ts'
import { uniquePool } from '../pools.ts'
import type { PortPlug } from './spec.ts'

const GUEST_INTERFACE = 'eth0'

/** What can be said about `plug` without looking at the host. */
export function plugFindings(port: PortDeclared): Finding[] {
  const { plug, host } = port
  if (plug === undefined) return []
  const findings: Finding[] = []
  const bad = (message: string, at: string, hint: string): void => {
    findings.push({ code: 'E0227', message, at: at === '' ? ['plug'] : ['plug', at], hint })
  }
  if (host === undefined) bad('plug needs a host: the agent there makes the interface', '', 'add host: …, or remove plug')
  for (const name of ['interface', 'guest_interface'] as const) {
    const text = plug[name]
    const fault = text === undefined ? undefined : interfaceNameFault(text)
    if (fault !== undefined) bad(`${name} ${JSON.stringify(text)} ${fault}`, name, 'write at most 15 letters, digits, - _ . @ or +')
  }
  if (plug.interface === INTEGRATION_BRIDGE) bad(`interface ${plug.interface} is Netloom’s own bridge`, 'interface', 'write another name')
  if (plug.netns !== undefined && /[/\s]|^\.\.?$/.test(plug.netns))
    bad(`netns ${JSON.stringify(plug.netns)} is no name for a namespace`, 'netns', 'write a name as `ip netns add` takes it')
  if (plug.type === 'veth' && plug.netns === undefined)
    bad('a veth needs a netns for its other end', '', 'add netns: …, or write type: internal')
  if (plug.type === 'internal' && plug.guest_interface !== undefined)
    bad('guest_interface is for veth; an internal port keeps its name', 'guest_interface', 'remove it')
  return findings
}

/** Fills in the interface's name, as Neutron's `tap` + 11 characters of the id. */
export function resolvePlug(resource: Declared): PortPlug | undefined {
  const { plug } = resource.spec as PortDeclared
  if (plug === undefined) return undefined
  return {
    type: plug.type,
    interface: plug.interface ?? `nl-${resourceId(resource).replaceAll('-', '').slice(0, 11)}`,
    ...(plug.netns === undefined ? {} : { netns: plug.netns }),
    ...(plug.type === 'veth' ? { guest_interface: plug.guest_interface ?? GUEST_INTERFACE } : {}),
  }
}

/** Interface names are unique on their host, and again inside of each namespace. */
export function claimInterfaces(resource: Declared, plug: PortPlug, host: string, pools: Pools): readonly Finding[] {
  const findings: Finding[] = []
  const claim = (pool: string, name: string, attribute: string, where: string): void => {
    const claimed = pools.claim(pool, name)
    if (claimed.ok || claimed.reason !== 'taken') return
    const at = ['plug', attribute]
    const message = `interface ${name} of port ${resource.name} exists already ${where}`
    findings.push(takenFinding(claimed, { code: 'E0228', message, at, holderAt: ['plug'], hint: 'write another name' }))
  }
  const inside = plug.guest_interface ?? plug.interface
  // An internal port is made on the host before it moves: its name must be free in both places.
  claim(uniquePool('interface', host), plug.interface, 'interface', `on host ${host}`)
  if (plug.netns !== undefined)
    claim(
      uniquePool('interface', host, plug.netns),
      inside,
      plug.guest_interface === undefined ? 'interface' : 'guest_interface',
      `in namespace ${plug.netns} on host ${host}`,
    )
  return findings
}
