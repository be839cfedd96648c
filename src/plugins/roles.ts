import type { AttributeExtension } from '../kinds/extension.ts'
import { DEFAULT_ROLES, type HostSpec, L2 } from '../kinds/host/spec.ts'
import type { KindDefinition, Lowered, View } from '../kinds/kind.ts'
import { roleScope, type Scope, scopeHost } from '../model/scope.ts'
import type { ChosenPlugin } from './conflicts.ts'

/*
 * Which hosts a plugin's intents reach: those that have one of the roles it addresses (Neutron's `agent_notifiers`). Kinds go on naming hosts and scopes as
 * if there were no roles; here a scope that hosts share becomes one for each set of roles, and a host needs those parts that are for it.
 */

/** Roles that a plugin addresses, sorted. One that names none speaks to `l2`, as the core does. */
type Audience = readonly string[]

/** Puts roles between what kinds ask for and what hosts are sent. */
export interface Router {
  kind(plugin: ChosenPlugin, kind: KindDefinition): KindDefinition
  extension(plugin: ChosenPlugin, extension: AttributeExtension): AttributeExtension
}

/** What hosts may name: `l2`, and what the plugins address besides. */
export function rolesOf(plugins: readonly ChosenPlugin[]): readonly string[] {
  const others = new Set(plugins.flatMap((p) => audienceOf(p)))
  others.delete(L2)
  return [L2, ...[...others].sort()]
}

export function createRouter(plugins: readonly ChosenPlugin[]): Router {
  const audiences = new Map<string, Audience>([DEFAULT_ROLES, ...plugins.map(audienceOf)].map((a) => [a.join(), a]))
  // Every host has the only role there is.
  if (audiences.size === 1) return { kind: (_, kind) => kind, extension: (_, extension) => extension }
  const all = [...audiences.values()]
  return {
    kind: (plugin, kind) => ({
      ...kind,
      lower: (resource, view) => {
        const self = resource.kind === 'host' ? { self: resource.name } : {}
        return routed(kind.lower(resource, view), { audience: audienceOf(plugin), all, view, ...self })
      },
    }),
    extension(plugin, extension) {
      const { lower } = extension
      if (lower === undefined) return extension
      return {
        ...extension,
        lower: (resource, values, view) =>
          routed(lower.call(extension, resource, values, view), { audience: audienceOf(plugin), all, view }),
      }
    },
  }
}

function audienceOf({ plugin }: ChosenPlugin): Audience {
  return plugin.agent_roles.length === 0 ? DEFAULT_ROLES : [...new Set(plugin.agent_roles)].sort()
}

interface Routing {
  readonly audience: Audience
  readonly all: readonly Audience[]
  readonly view: View
  /** The host that is lowered itself: it needs what it needs whatever its roles. */
  readonly self?: string
}

function routed({ intents, needs, ways }: Lowered, { audience, all, view, self }: Routing): Lowered {
  const has = (host: string, wanted: Audience): boolean => {
    const roles = view.get<HostSpec>(view.ref('host', host))?.spec.roles ?? DEFAULT_ROLES
    return wanted.some((role) => roles.includes(role))
  }
  return {
    intents: intents.flatMap((entry) => {
      const host = scopeHost(entry.scope)
      if (host === undefined) return [{ ...entry, scope: partFor(audience, entry.scope) }]
      // What the agent itself is told is for every host.
      return entry.intent.type === 'host' || has(host, audience) ? [entry] : []
    }),
    needs: needs.flatMap((need) => {
      if (need.host !== self && !has(need.host, audience)) return []
      if (scopeHost(need.scope) !== undefined) return [need]
      return all.filter((one) => has(need.host, one)).map((one) => ({ host: need.host, scope: partFor(one, need.scope) }))
    }),
    // A host has the parts of a scope that are for it, and each leads to the same part of the next.
    ...(ways === undefined
      ? {}
      : { ways: ways.flatMap(({ from, to }) => all.map((one) => ({ from: partFor(one, from), to: partFor(one, to) }))) }),
  }
}

/** The part of a shared scope that is for hosts with one of the roles. That for `l2` alone is the scope itself. */
function partFor(audience: Audience, scope: Scope): Scope {
  return audience.join() === L2 ? scope : roleScope(audience, scope)
}
