import type { QosIntent, TrafficLimits } from '../../model/intent.ts'
import type { Resource } from '../../model/resource.ts'
import { intentKey, qosScope } from '../../model/scope.ts'
import type { Lowered } from '../kind.ts'
import type { Direction, QosPolicySpec, QosRule } from './spec.ts'

/** One value that hosts share: another rate is one change, however many ports are under it. Which hosts need it is for ports to say. */
export function lowerQosPolicy({ key, spec }: Resource<QosPolicySpec>): Lowered {
  const mark = spec.rules.find((rule) => rule.type === 'dscp_marking')
  const intent: QosIntent = {
    ...(mark === undefined ? {} : { dscp_mark: mark.dscp_mark }),
    ...limits('egress', spec.rules),
    ...limits('ingress', spec.rules),
    policy: key,
    type: 'qos',
  }
  return { intents: [{ scope: qosScope(key), key: intentKey('qos', key), intent }], needs: [] }
}

function limits(direction: Direction, rules: readonly QosRule[]): { readonly [D in Direction]?: TrafficLimits } {
  const parts = rules.flatMap((rule): TrafficLimits[] => {
    if (rule.type === 'dscp_marking' || rule.direction !== direction) return []
    return rule.type === 'bandwidth_limit'
      ? [{ bits: { burst: rule.max_burst_kbps * 1000, rate: rule.max_kbps * 1000 } }]
      : [{ packets: { burst: rule.max_burst_kpps * 1000, rate: rule.max_kpps * 1000 } }]
  })
  return parts.length === 0 ? {} : { [direction]: Object.assign({}, ...parts) as TrafficLimits }
}
