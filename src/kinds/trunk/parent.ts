import type { PortDeclared } from '../../../schemas/port.ts'
import type { TrunkDeclared } from '../../../schemas/trunk.ts'
import { type Key, namedKey } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { View } from '../kind.ts'

/** The host that is written for a port (or to which it is on its way); for a subport without one, its parent's: it lives where the parent's interface is. */
export function writtenHost({ key, spec }: Declared, view: View, which: 'host' | 'migrating_to' = 'host'): string | undefined {
  const port = spec as PortDeclared
  if (port.host !== undefined) return port[which]
  const [trunk] = view.users(key, 'trunk')
  const parent = trunk === undefined ? undefined : parentOf(view.declared(trunk))
  return parent === undefined || parent === key ? undefined : (view.declared(parent)?.spec as PortDeclared | undefined)?.[which]
}

function parentOf(trunk: Declared | undefined): Key | undefined {
  return trunk === undefined ? undefined : namedKey('port', trunk.project, (trunk.spec as TrunkDeclared).port)
}
