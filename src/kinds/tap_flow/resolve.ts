import type { TapFlowDeclared } from '../../../schemas/tap_flow.ts'
import type { Declared } from '../../model/resource.ts'
import type { Resolved } from '../kind.ts'
import type { TapFlowSpec } from './spec.ts'

export function resolveTapFlow(resource: Declared): Resolved<TapFlowSpec> {
  const { tap_service, source_port, direction, description = '' } = resource.spec as TapFlowDeclared
  return { spec: { tap_service, source_port, direction, description }, findings: [] }
}
