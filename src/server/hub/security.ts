import { endpointFault } from '../../lib/endpoint.ts'
import type { Issue } from '../../model/issue.ts'
import { type Endpoints, isLocalEndpoint } from '../../wire/endpoints.ts'
import type { KeyPair } from '../../wire/keys.ts'

/** How peers are told apart. `keys`: nobody gets in without one. With no keys, only this machine may connect; `insecure-lab` says aloud that anybody may. */
export type Security =
  | { readonly mode: 'keys'; readonly server: KeyPair }
  | { readonly mode: 'local-only' }
  | { readonly mode: 'insecure-lab' }

/** An operator's mistakes in the endpoints, before anything is bound. */
export function endpointIssues(endpoints: Endpoints, security: Security): readonly Issue[] {
  const issues: Issue[] = []
  for (const [name, endpoint] of Object.entries({ pub: endpoints.pub, rpc: endpoints.rpc, reports: endpoints.reports })) {
    const fault = endpointFault(endpoint)
    if (fault !== undefined) {
      issues.push({ code: 'E0601', severity: 'error', message: `endpoints.${name}: ${endpoint} is no endpoint`, label: fault })
    } else if (security.mode === 'local-only' && !isLocalEndpoint(endpoint)) {
      issues.push({
        code: 'E0602',
        severity: 'error',
        message: `endpoints.${name}: ${endpoint} can be reached from other machines, and there are no keys to tell agents from strangers`,
        hint: 'make keys with `netloom keys new HOST`, or bind tcp://127.0.0.1:PORT or ipc:///PATH, or start with --insecure-lab where nobody else is on the network',
      })
    }
  }
  return issues
}

/** E0603, as the agent shows it. */
export function unknownHostMessage(host: string): string {
  return `E0603: host ${host} is not in the repo; add \`hosts: { ${host}: {} }\` to it and apply, or start the agent with the --host name that the repo uses`
}
