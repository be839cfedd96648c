import { type AttributeExtension, extensionOf } from '../../kinds/extension.ts'
import { type Lowered, NOTHING, type View } from '../../kinds/kind.ts'
import { LOGGED_PROJECT, type LogSpec } from '../../kinds/log/spec.ts'
import { groupKeys } from '../../kinds/port/security-groups.ts'
import type { PortSpec } from '../../kinds/port/spec.ts'
import type { JsonObject } from '../../model/brand.ts'
import { hostsOf, type PortLogIntent, type RateLimit } from '../../model/intent.ts'
import type { Key } from '../../model/key.ts'
import type { Resource } from '../../model/resource.ts'
import { hostScope, intentKey } from '../../model/scope.ts'

export const ALIAS = 'logging'

/** Neutron's `[network_log]`, its defaults and its minimums. */
const LIMITS = { rate_limit: 100, burst_limit: 25 } as const

export const limitsOfSite: AttributeExtension = {
  kind: 'site',
  alias: ALIAS,
  properties: {
    network_log: {
      type: 'object',
      additionalProperties: false,
      description: 'How much is logged on one host of what is let pass, and as much again of what is dropped.',
      properties: {
        rate_limit: {
          type: 'integer',
          minimum: LIMITS.rate_limit,
          maximum: 100_000,
          description: 'Packets a second. Left out: 100.',
        },
        burst_limit: {
          type: 'integer',
          minimum: LIMITS.burst_limit,
          maximum: 100_000,
          description: 'Packets at once, after a pause. Left out: 25.',
        },
      },
      examples: [{ rate_limit: 200, burst_limit: 50 }],
    },
  },
  mutability: { network_log: 'in place' },
  claims: () => false,
}

/** Ports have no attribute of it: logs say which ports they mean, and a port asks for those of its project. */
export const logsOfPort: AttributeExtension = {
  kind: 'port',
  alias: ALIAS,
  properties: {},
  claims: () => false,
  lower: lowerLogs,
}

/** The port's host, and the one to which it is on its way, learns what of its connections is logged, and for whom. */
function lowerLogs({ key, project, spec }: Resource, _values: JsonObject, view: View): Lowered {
  const port = spec as PortSpec
  const hosts = hostsOf(port)
  if (hosts.length === 0) return NOTHING
  const users = view.users(view.ref(LOGGED_PROJECT, project), 'log')
  const groups = users.length === 0 ? undefined : groupKeys(port, view)
  if (groups === undefined) return NOTHING
  const meant = users.flatMap((log): [Key, LogSpec['event']][] => {
    const spec = view.get<LogSpec>(log)?.spec
    return spec?.enabled === true && concerns(spec, key, groups, view) ? [[log, spec.event]] : []
  })
  if (meant.length === 0) return NOTHING
  const asking = (event: 'ACCEPT' | 'DROP'): readonly Key[] => meant.flatMap(([log, e]) => (e === 'ALL' || e === event ? [log] : []))
  const intent: PortLogIntent = { accept: asking('ACCEPT'), drop: asking('DROP'), limit: limitOf(view), port: key, type: 'port_log' }
  return { intents: hosts.map((host) => ({ scope: hostScope(host), key: intentKey('port_log', key), intent })), needs: [] }
}

function concerns(
  { port, security_group: group }: Pick<LogSpec, 'port' | 'security_group'>,
  key: Key,
  groups: readonly Key[],
  view: View,
): boolean {
  return (
    (port === undefined || view.ref('port', port) === key) && (group === undefined || groups.includes(view.ref('security_group', group)))
  )
}

function limitOf(view: View): RateLimit {
  const written = extensionOf(view.site() as unknown as JsonObject, ALIAS)?.['network_log']
  const { rate_limit: rate, burst_limit: burst } = { ...LIMITS, ...(written as Partial<typeof LIMITS> | undefined) }
  return { burst, rate }
}
