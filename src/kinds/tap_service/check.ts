import type { TapServiceDeclared } from '../../../schemas/tap_service.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import type { Reference, View } from '../kind.ts'
import type { PortSpec } from '../port/spec.ts'

/** Only the project itself may have its ports listen, as in Neutron. */
export function tapServiceReferences(spec: JsonObject): readonly Reference[] {
  return [{ kind: 'port', name: (spec as TapServiceDeclared).port, at: ['port'], access: 'own' }]
}

/** A port without a host is no mistake: its guest may be on the way. */
export function checkTapService(resource: Declared, view: View): readonly Finding[] {
  const port = view.need<PortSpec>(view.ref('port', (resource.spec as TapServiceDeclared).port))
  if (port.spec.host !== undefined) return []
  const message = `port ${port.name} is on no host: nobody gets the copies of tap_service ${resource.name}`
  const related = [{ message: `port ${port.name}`, key: port.key }]
  return [{ code: 'W1101', severity: 'warning', message, at: ['port'], related, hint: `write host: … at port ${port.name}` }]
}
