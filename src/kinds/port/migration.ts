import type { PortDeclared } from '../../../schemas/port.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared, Resource } from '../../model/resource.ts'
import type { HostSpec } from '../host/spec.ts'
import type { View } from '../kind.ts'
import type { NetworkSpec } from '../network/spec.ts'
import { writtenHost } from '../trunk/parent.ts'
import { type Binders, type Binding, bindingOf } from './binding.ts'

const CODE = 'E0360'

/** What can be said about `migrating_to` without looking at hosts. */
export function migrationWords({ host, migrating_to: to, plug }: PortDeclared): Finding[] {
  if (to === undefined) return []
  const bad = (message: string, hint: string): Finding => ({ code: CODE, message, at: ['migrating_to'], hint })
  if (host === undefined) return [bad('migrating_to needs a host from which the port comes', 'write host: …, or remove migrating_to')]
  if (host === to) return [bad(`the port is on ${to} already`, 'remove migrating_to: the move is done')]
  if (plug === undefined) return []
  return [bad('the agent makes the interface of this port, so no guest moves with it', 'remove migrating_to, and write the new host')]
}

interface Bound {
  readonly network: Resource<NetworkSpec>
  readonly host: string
  readonly binding: Binding
}

/** The other host must be able to carry the port too, and on the same segment: elsewhere its addresses would be wrong. */
export function migrationFindings(resource: Declared, { network, host, binding }: Bound, view: View, binders: Binders): readonly Finding[] {
  const to = writtenTarget(resource, view)
  if (to === undefined) return []
  const there = bindingOf(resource, network, view.need<HostSpec>(view.ref('host', to)), binders)
  if (!there.ok) return [{ ...there.finding, at: ['migrating_to'] }]
  if (there.binding.segment === binding.segment) return []
  const message = `port ${resource.name} cannot migrate from ${host} (segment ${binding.segment}) to ${to} (segment ${there.binding.segment}) of network ${network.name}`
  return [
    {
      code: CODE,
      message,
      at: ['migrating_to'],
      hint: 'name a host on the same segment; else stop the guest, write the new host and give it new addresses',
    },
  ]
}

/** A subport goes where its parent goes. */
export function writtenTarget(resource: Declared, view: View): string | undefined {
  return writtenHost(resource, view, 'migrating_to')
}
