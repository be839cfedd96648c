import type { LogDeclared } from '../../../schemas/log.ts'
import type { Declared } from '../../model/resource.ts'
import type { Resolved } from '../kind.ts'
import type { LogSpec } from './spec.ts'

/** Everything filled in (Neutron's defaults). */
export function resolveLog(resource: Declared): Resolved<LogSpec> {
  const { security_group, port, event = 'ALL', enabled = true, description = '' } = resource.spec as LogDeclared
  const spec: LogSpec = {
    resource_type: 'security_group',
    ...(security_group === undefined ? {} : { security_group }),
    ...(port === undefined ? {} : { port }),
    event,
    enabled,
    description,
  }
  return { spec, findings: [] }
}
