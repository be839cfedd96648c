import { tcpParts } from '../lib/endpoint.ts'

/** `tcp://127.0.0.1:9100`, `tcp://[::1]:*`, `ipc:///run/netloom/rpc`. */
export interface Endpoints {
  readonly pub: string
  readonly rpc: string
  readonly reports: string
}

/** A socket with IPv6 switched on names its IPv4 addresses `[::ffff:127.0.0.1]`: said the way people say it. */
export function plainEndpoint(endpoint: string): string {
  return endpoint.replace(/^tcp:\/\/\[::ffff:(\d+\.\d+\.\d+\.\d+)\]:/, 'tcp://$1:')
}

/** True when nothing but this machine can connect: loopback addresses and `ipc://`. Names are not resolved: only `localhost` counts. */
export function isLocalEndpoint(endpoint: string): boolean {
  if (endpoint.startsWith('ipc://')) return true
  const host = tcpParts(plainEndpoint(endpoint))?.host
  if (host === undefined) return false
  return host === 'localhost' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

/**
 * The address to connect to for an endpoint that `hello` returned. A server bound to every address names `0.0.0.0` or `[::]`, which means
 * nothing elsewhere: the address that the agent already reached it under takes that place.
 */
export function reachableEndpoint(endpoint: string, server: string): string {
  const parts = tcpParts(plainEndpoint(endpoint))
  const known = tcpParts(server)?.host
  if (parts === undefined || known === undefined) return endpoint
  const { host, port } = parts
  return host === '0.0.0.0' || host === '[::]' || host === '*' ? `tcp://${known}:${port}` : endpoint
}
