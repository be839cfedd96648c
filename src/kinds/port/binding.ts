import type { PortDeclared } from '../../../schemas/port.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import type { HostSpec } from '../host/spec.ts'
import type { NetworkSpec } from '../network/spec.ts'
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

/** Neutron's binding attributes; `unbound`: no host is named yet. */
export type Binding = { readonly vnic_type: string; readonly vif_type: string; readonly mechanism_driver?: string }

export type BindingResult = { readonly ok: true; readonly binding: Binding } | { readonly ok: false; readonly finding: Finding }

type Refusal = Extract<BindAnswer, { readonly ok: false }>

export const DEFAULT_VNIC_TYPE = 'normal'

export function unbound(vnicType: string, binders: Binders): Binding {
  return sharedBinding(binders, { vnic_type: vnicType, vif_type: 'unbound' })
}

/** The first driver that can; or why none can, driver by driver, so that nobody has to look for `binding_failed` in a log (Neutron, complaint and B3.15). */
export function bindingOf(port: Declared, network: Resource<NetworkSpec>, host: Resource<HostSpec>, binders: Binders): BindingResult {
  const { types, mechanisms } = binders
  const vnic = vnicTypeOf(port)
  const refusals: { readonly driver: string; readonly answer: Refusal }[] = []
  for (const driver of mechanisms) {
    const answer = ask(driver, vnic, network, host, types)
    if (answer.ok)
      return { ok: true, binding: sharedBinding(binders, { vnic_type: vnic, vif_type: answer.vif_type, mechanism_driver: driver.name }) }
    refusals.push({ driver: driver.name, answer })
  }
  return { ok: false, finding: refused(port, network, host, { mechanisms, refusals }) }
}

export function vnicTypeOf(port: Declared): string {
  return (port.spec as PortDeclared).vnic_type ?? DEFAULT_VNIC_TYPE
}

function ask(
  driver: MechanismDriver,
  vnic: string,
  network: Resource<NetworkSpec>,
  host: Resource<HostSpec>,
  types: TypeDrivers,
): BindAnswer {
  if (host.spec.backend !== driver.backend)
    return {
      ok: false,
      why: `the host's backend is ${host.spec.backend}, not ${driver.backend}`,
      fix: `backend: ${driver.backend}`,
      at: ['backend'],
    }
  if (!driver.vnic_types.includes(vnic)) return { ok: false, why: `vnic_type ${vnic} is not one of ${driver.vnic_types.join(', ')}` }
  const { network_type, physical_network, segmentation_id } = network.spec
  return driver.bind({
    vnic_type: vnic,
    segment: {
      network_type,
      carriage: types.get(network_type)?.carriage ?? 'local',
      ...(physical_network === undefined ? {} : { physical_network }),
      ...(segmentation_id === undefined ? {} : { segmentation_id }),
    },
    host: { name: host.name, ...host.spec },
  })
}

function refused(
  port: Declared,
  network: Resource<NetworkSpec>,
  host: Resource<HostSpec>,
  {
    mechanisms,
    refusals,
  }: { readonly mechanisms: Binders['mechanisms']; readonly refusals: readonly { readonly driver: string; readonly answer: Refusal }[] },
): Finding {
  const why = refusals.map(({ driver, answer }) => `${driver}: ${answer.why}`).join('; ') || 'the site has no mechanism driver'
  const fix = refusals.find(({ answer }) => answer.fix !== undefined)?.answer
  return {
    code: UNBOUND,
    message: `port ${port.name} cannot be bound to host ${host.name}: ${why}`,
    at: foreseen(vnicTypeOf(port), mechanisms) ? ['host'] : ['vnic_type'],
    related: [
      { message: `network ${network.name} is ${network.spec.network_type}`, key: network.key, at: ['network_type'] },
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
  const text = `${binding.vnic_type} ${binding.vif_type} ${binding.mechanism_driver ?? ''}`
  const there = shared.get(text)
  if (there === undefined) shared.set(text, binding)
  return there ?? binding
}
