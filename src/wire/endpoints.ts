/** `tcp://127.0.0.1:9100`, `tcp://[::1]:*`, `ipc:///run/netloom/rpc`. */
export interface Endpoints {
  readonly pub: string
  readonly rpc: string
  readonly reports: string
}

const TCP = /^tcp:\/\/(\[[^\]]+\]|[^:[\]]+):(\d+|\*)$/

/** A socket with IPv6 switched on names its IPv4 addresses `[::ffff:127.0.0.1]`: said the way people say it. */
export function plainEndpoint(endpoint: string): string {
  return endpoint.replace(/^tcp:\/\/\[::ffff:(\d+\.\d+\.\d+\.\d+)\]:/, 'tcp://$1:')
}

/** True when nothing but this machine can connect: loopback addresses and `ipc://`. Names are not resolved: only `localhost` counts. */
export function isLocalEndpoint(endpoint: string): boolean {
  if (endpoint.startsWith('ipc://')) return true
  const host = TCP.exec(plainEndpoint(endpoint))?.[1]
  if (host === undefined) return false
  return host === 'localhost' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

/** Undefined when it can be handed to ZeroMQ; else what is wrong with it. */
export function endpointFault(endpoint: string): string | undefined {
  if (endpoint.startsWith('ipc://')) {
    const path = endpoint.slice('ipc://'.length)
    if (path === '') return 'an ipc endpoint needs a path: ipc:///run/netloom/rpc'
    // sun_path in unix(7) has 108 bytes, the closing NUL included.
    return Buffer.byteLength(path) > 107 ? `the path has ${Buffer.byteLength(path)} bytes, a unix socket takes at most 107` : undefined
  }
  return TCP.test(endpoint) ? undefined : 'expected tcp://ADDRESS:PORT, tcp://[IPV6]:PORT or ipc:///PATH'
}

/**
 * The address to connect to for an endpoint that `hello` returned. A server bound to every address names `0.0.0.0` or `[::]`, which means
 * nothing elsewhere: the address that the agent already reached it under takes that place.
 */
export function reachableEndpoint(endpoint: string, server: string): string {
  const match = TCP.exec(plainEndpoint(endpoint))
  const known = TCP.exec(server)?.[1]
  if (match === null || known === undefined) return endpoint
  const [, host, port] = match
  return host === '0.0.0.0' || host === '[::]' || host === '*' ? `tcp://${known}:${port}` : endpoint
}
