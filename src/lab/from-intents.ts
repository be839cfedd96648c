import type { AttachIntent, HostIntent } from '../model/intent.ts'
import { compareText } from '../model/key.ts'
import type { ScopeContent } from '../model/scope.ts'
import type { LabGuest, LabHost, LabSpec } from './spec.ts'

/**
 * The lab that a revision describes: one host for each `host/<h>` scope, one guest for each port attached there. Takes the content of those
 * scopes, by host name. Sorted, so that equal revisions give equal specs.
 */
export function labFromIntents(hosts: Iterable<readonly [host: string, content: ScopeContent]>): LabSpec {
  const spec: { hosts: LabHost[]; guests: LabGuest[] } = { hosts: [], guests: [] }
  for (const [host, content] of [...hosts].sort(([a], [b]) => compareText(a, b))) {
    const intents = Object.values(content.intents)
    const described = intents.find((i): i is HostIntent => i.type === 'host')
    if (described !== undefined) spec.hosts.push(hostOf(described))
    const attached = intents.filter((i): i is AttachIntent => i.type === 'attach').sort((a, b) => compareText(a.port, b.port))
    if (described !== undefined) spec.guests.push(...attached.map((a) => guestOf(host, a)))
  }
  return spec
}

function hostOf(intent: HostIntent): LabHost {
  const tunnel = intent.tunnel_ip === undefined ? {} : { tunnel_ip: intent.tunnel_ip }
  return { name: intent.host, ...tunnel, bridge_mappings: intent.bridge_mappings }
}

function guestOf(host: string, intent: AttachIntent): LabGuest {
  const { port, id, mac, mtu, addresses, plug } = intent
  const common = { port, id, host, mac, mtu, addresses }
  if (plug.by === 'external') return common
  return { ...common, plug: 'agent', ...(plug.netns === undefined ? {} : { netns: plug.netns }) }
}
