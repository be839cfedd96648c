import type { SiteDeclared } from '../../../schemas/site.ts'
import { endpointFault } from '../../lib/endpoint.ts'
import { canonicalMac, isMulticastMac } from '../../lib/mac.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding, ValuePath } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import type { Normalised, Reference } from '../kind.ts'
import type { TypeDrivers } from '../network/type-driver.ts'
import { normaliseRule } from '../security_group/rule.ts'
import { PARENT } from '../security_group/spec.ts'
import { DEFAULT_PLUGINS, DEFAULT_SITE } from './spec.ts'

/** What the site's settings can name. */
export interface SiteOffer {
  readonly types: TypeDrivers
}

export type PluginChoice = Pick<SiteDeclared, 'core_plugin' | 'service_plugins' | 'disabled_plugins' | 'overrides' | 'mechanism_drivers'>

const RANGES = ['network_vlan_ranges', 'vni_ranges', 'geneve_ranges', 'tunnel_id_ranges'] as const

export function normaliseSite(written: JsonObject): Normalised {
  const template = normalTemplate(written as SiteDeclared)
  const spec: JsonObject = { ...written, ...template.part }
  const site = spec as SiteDeclared
  const findings = [
    ...rangeFindings(site),
    ...scheduleFindings(site),
    ...endpointFindings(site),
    ...installationFindings(site),
    ...template.findings,
  ]
  if (site.base_mac === undefined) return { spec, findings }
  const mac = canonicalMac(site.base_mac)
  if (mac === undefined || isMulticastMac(mac)) {
    const message =
      mac === undefined ? `base_mac ${site.base_mac} is not a MAC address` : `base_mac ${site.base_mac} is a multicast address`
    findings.push({ code: 'E0240', message, at: ['base_mac'], hint: `write a unicast MAC, such as ${DEFAULT_SITE.base_mac}` })
    return { spec, findings }
  }
  return { spec: { ...spec, base_mac: mac }, findings }
}

/** Rules of the template are rules like any other. */
function normalTemplate({ default_security_group_rules: rules }: SiteDeclared): {
  readonly part: JsonObject
  readonly findings: readonly Finding[]
} {
  if (rules === undefined) return { part: {}, findings: [] }
  const normal = rules.map(({ used_in_default_sg, used_in_non_default_sg, ...written }, i) => {
    const { rule, findings } = normaliseRule(written)
    const at = ['default_security_group_rules', i]
    return {
      rule: { ...rule, used_in_default_sg, used_in_non_default_sg },
      findings: findings.map((f): Finding => ({ ...f, at: [...at, ...(f.at ?? [])] })),
    }
  })
  return { part: { default_security_group_rules: normal.map((n) => n.rule) }, findings: normal.flatMap((n) => n.findings) }
}

/** What rules of the template are about; the site belongs to no project, so they say whose it is. */
export function siteReferences(spec: JsonObject): readonly Reference[] {
  return ((spec as SiteDeclared).default_security_group_rules ?? []).flatMap(
    ({ remote_group: ports, remote_address_group: addresses }, i) => {
      const at = (name: string): ValuePath => ['default_security_group_rules', i, name]
      return [
        ...(ports === undefined || ports === PARENT ? [] : [{ kind: 'security_group', name: ports, at: at('remote_group') }]),
        ...(addresses === undefined ? [] : [{ kind: 'address_group', name: addresses, at: at('remote_address_group') }]),
      ]
    },
  )
}

function rangeFindings(site: SiteDeclared): Finding[] {
  const findings: Finding[] = []
  for (const name of RANGES) {
    site[name]?.forEach((range, i) => {
      const { from, to } = range
      if ((from === undefined) !== (to === undefined)) {
        findings.push({
          code: 'E0240',
          message: `${name}: from and to go together`,
          at: [name, i],
          hint: 'write both, or neither for 1–4094',
        })
      } else if (from !== undefined && to !== undefined && from > to) {
        findings.push({
          code: 'E0240',
          message: `${name}: ${from} is above ${to}`,
          at: [name, i, 'from'],
          hint: `write from: ${to}, to: ${from}`,
        })
      }
    })
  }
  return findings
}

/** Five fields, or six with seconds first; node-cron judges the rest when the schedule starts. */
function scheduleFindings(site: SiteDeclared): Finding[] {
  const schedule = site.drift?.schedule
  if (schedule === undefined || /^\S+(\s+\S+){4,5}$/.test(schedule.trim())) return []
  const message = `drift.schedule "${schedule}" is not a cron expression`
  return [{ code: 'E0240', message, at: ['drift', 'schedule'], hint: `five fields, such as "${DEFAULT_SITE.drift.schedule}"` }]
}

function endpointFindings({ endpoints = {} }: SiteDeclared): Finding[] {
  return (['pub', 'rpc', 'reports'] as const).flatMap((name) => {
    const written = endpoints[name]
    const fault = written === undefined ? undefined : endpointFault(written)
    if (fault === undefined) return []
    const hint = `write tcp://ADDRESS:PORT or ipc:///PATH, such as ${DEFAULT_SITE.endpoints[name]}`
    return [{ code: 'E0240', message: `endpoints.${name}: ${fault}`, at: ['endpoints', name], hint }]
  })
}

/** Two installations without a name would take each other's agents. */
function installationFindings({ installation }: SiteDeclared): Finding[] {
  if (installation === undefined || installation.trim() !== '') return []
  return [{ code: 'E0240', message: 'installation is empty', at: ['installation'], hint: 'give it a name of its own, or remove the line' }]
}

/** Types that are tried must be types that are on: Neutron refuses to start otherwise. */
export function checkSite(resource: Declared, offer: SiteOffer): readonly Finding[] {
  const site = resource.spec as SiteDeclared
  const drivers: readonly string[] = site.type_drivers ?? [...offer.types.keys()]
  const findings: Finding[] = []
  for (const name of ['project_network_types', 'external_network_types'] as const) {
    const types: readonly string[] = site[name] ?? DEFAULT_SITE[name]
    types.forEach((type, i) => {
      if (drivers.includes(type)) return
      const message = `${name}: ${type} is not among type_drivers (${drivers.join(', ') || 'none'})`
      findings.push({
        code: 'E0240',
        message,
        at: site[name] === undefined ? [] : [name, i],
        hint: `add ${type} to type_drivers, or leave it out here`,
      })
    })
  }
  return findings
}

/**
 * Plugins are loaded once: kinds, attributes and drivers cannot change under a running server. Asked of what the repository says, not of what is committed: a
 * site of another set of plugins is a good one, and what hangs on it goes on.
 */
export function pluginFindings(site: PluginChoice, running: Required<PluginChoice>): readonly Finding[] {
  return (['core_plugin', 'service_plugins', 'disabled_plugins', 'overrides', 'mechanism_drivers'] as const).flatMap((name) => {
    const now: string | readonly string[] = site[name] ?? DEFAULT_PLUGINS[name]
    const text = (value: string | readonly string[]): string => (typeof value === 'string' ? value : value.join(', ') || 'none')
    if (text(now) === text(running[name])) return []
    const message = `${name} says ${text(now)}, and this server runs with ${text(running[name])}`
    return [
      {
        code: 'E0715',
        message,
        at: site[name] === undefined ? [] : [name],
        hint: 'start the server again: plugins are loaded once. What it holds of a plugin or driver that goes must be removed first (else E0717)',
      },
    ]
  })
}
