import type { PortDeclared } from '../../../schemas/port.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import { type HostSpec, L2 } from '../host/spec.ts'
import { type NetworkSpec, type Segment, segmentsOf, segmentText } from '../network/spec.ts'
import type { TypeDrivers } from '../network/type-driver.ts'
import type { BindAnswer, MechanismDriver } from './mechanism-driver.ts'

/** Code of a port that no mechanism driver binds to its host. */
export const UNBOUND = 'E0233'

/** What binding a port takes: the types for how its network is carried, the mechanism drivers in the site's order. */
export interface Binders {
  readonly types: TypeDrivers
  readonly mechanisms: readonly MechanismDriver[]
  /** Few bindings differ, and ports are many: one object for each that differs. */
  readonly shared: Map<string, Binding>
}

/** Neutron's binding attributes; `unbound`: no host is named yet. `segment`: which one (`segmentText`), where the network has several. */
export type Binding = {
  readonly vnic_type: string
  readonly vif_type: string
  readonly mechanism_driver?: string
  readonly segment?: string
}

export type BindingResult = { readonly ok: true; readonly binding: Binding } | { readonly ok: false; readonly finding: Finding }

type Refusal = Extract<BindAnswer, { readonly ok: false }>

export const DEFAULT_VNIC_TYPE = 'normal'

export function unbound(vnicType: string, binders: Binders): Binding {
  return sharedBinding(binders, { vnic_type: vnicType, vif_type: 'unbound' })
}

/**
 * The first driver that can, with the first segment for which it can (Neutron's order); or why none can, driver by driver and segment by segment, so that nobody has to
 * look for `binding_failed` in a log (Neutron, complaint and B3.15).
 */
export function bindingOf(port: Declared, network: Resource<NetworkSpec>, host: Resource<HostSpec>, binders: Binders): BindingResult {
  const vnic_type = vnicTypeOf(port)
  const several = network.spec.segments !== undefined
  const refusals: Refusals = binders.mechanisms.map((driver) => ({ driver: driver.name, answers: [] }))
  for (const [i, driver] of binders.mechanisms.entries()) {
    const unfit = unfitness(driver, vnic_type, host)
    if (unfit !== undefined) refusals[i]?.answers.push(unfit)
    for (const segment of unfit === undefined ? segmentsOf(network.spec) : []) {
      const answer = ask(driver, { vnic_type, network: network.spec, segment, host }, binders.types)
      if (answer.ok) {
        const which = several ? { segment: segmentText(segment) } : {}
        return {
          ok: true,
          binding: sharedBinding(binders, { vnic_type, vif_type: answer.vif_type, mechanism_driver: driver.name, ...which }),
        }
      }
      refusals[i]?.answers.push(several ? { ...answer, why: `segment ${segmentText(segment)}: ${answer.why}` } : answer)
    }
  }
  return { ok: false, finding: refused(port, network, host, { mechanisms: binders.mechanisms, refusals }) }
}

type Refusals = readonly { readonly driver: string; readonly answers: Refusal[] }[]

export function vnicTypeOf(port: Declared): string {
  return (port.spec as PortDeclared).vnic_type ?? DEFAULT_VNIC_TYPE
}

/** What stands against a driver whatever the segment. */
function unfitness(driver: MechanismDriver, vnic: string, host: Resource<HostSpec>): Refusal | undefined {
  const { roles } = host.spec
  if (!roles.includes(L2))
    return {
      ok: false,
      why: `the host has no role ${L2}; it has ${roles.join(', ')}`,
      fix: `roles: [${[...roles, L2].join(', ')}]`,
      at: ['roles'],
    }
  const { backend } = driver
  if (host.spec.backend !== backend)
    return { ok: false, why: `the host's backend is ${host.spec.backend}, not ${backend}`, fix: `backend: ${backend}`, at: ['backend'] }
  if (driver.vnic_types.includes(vnic)) return undefined
  return { ok: false, why: `vnic_type ${vnic} is not one of ${driver.vnic_types.join(', ')}` }
}

interface Asked {
  readonly vnic_type: string
  readonly network: NetworkSpec
  readonly segment: Segment
  readonly host: Resource<HostSpec>
}

function ask(driver: MechanismDriver, { vnic_type, network, segment, host }: Asked, types: TypeDrivers): BindAnswer {
  const { name: _, ...carried } = segment
  return driver.bind({
    vnic_type,
    network: { vlan_transparent: network.vlan_transparent === true, qinq: network.qinq === true },
    segment: { ...carried, carriage: types.get(segment.network_type)?.carriage ?? 'local' },
    host: { name: host.name, ...host.spec },
  })
}

function refused(
  port: Declared,
  network: Resource<NetworkSpec>,
  host: Resource<HostSpec>,
  { mechanisms, refusals }: { readonly mechanisms: Binders['mechanisms']; readonly refusals: Refusals },
): Finding {
  const why = refusals.map(({ driver, answers }) => `${driver}: ${answers.map((a) => a.why).join('; ')}`).join('; ')
  const fix = refusals.flatMap(({ answers }) => answers).find((answer) => answer.fix !== undefined)
  const { segments, network_type: type } = network.spec
  const carried = segments === undefined ? type : `${segments.length === 1 ? 'one segment' : `${segments.length} segments`}`
  return {
    code: UNBOUND,
    message: `port ${port.name} cannot be bound to host ${host.name}: ${why || 'the site has no mechanism driver'}`,
    at: foreseen(vnicTypeOf(port), mechanisms) ? ['host'] : ['vnic_type'],
    related: [
      {
        message: `network ${network.name} ${segments === undefined ? 'is' : 'has'} ${carried}`,
        key: network.key,
        at: [segments === undefined ? 'network_type' : 'segments'],
      },
      { message: `host ${host.name}`, key: host.key, ...(fix?.at === undefined ? {} : { at: fix.at }) },
    ],
    hint: fix?.fix === undefined ? otherwise(port, mechanisms) : `add ${fix.fix} to host ${host.name}`,
  }
}

/** Some driver of the site knows ports of this type at all. */
function foreseen(vnicType: string, mechanisms: Binders['mechanisms']): boolean {
  return mechanisms.length === 0 || mechanisms.some((driver) => driver.vnic_types.includes(vnicType))
}

function otherwise(port: Declared, mechanisms: Binders['mechanisms']): string {
  if (foreseen(vnicTypeOf(port), mechanisms)) return 'name another host, or change the network'
  return `write vnic_type: ${[...new Set(mechanisms.flatMap((driver) => driver.vnic_types))].join(' or ')}, or leave it out`
}

function sharedBinding({ shared }: Binders, binding: Binding): Binding {
  const text = `${binding.vnic_type} ${binding.vif_type} ${binding.mechanism_driver ?? ''} ${binding.segment ?? ''}`
  const there = shared.get(text)
  if (there === undefined) shared.set(text, binding)
  return there ?? binding
}
