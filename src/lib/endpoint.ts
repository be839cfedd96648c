const TCP = /^tcp:\/\/(\[[^\]]+\]|[^:[\]]+):(\d+|\*)$/

/** `tcp://HOST:PORT` taken apart; IPv6 addresses keep their brackets, and the port may be `*`. Undefined for anything else. */
export function tcpParts(endpoint: string): { readonly host: string; readonly port: string } | undefined {
  const [, host, port] = TCP.exec(endpoint) ?? []
  return host === undefined || port === undefined ? undefined : { host, port }
}

/** Undefined when it can be handed to ZeroMQ; else what is wrong with it. */
export function endpointFault(endpoint: string): string | undefined {
  if (endpoint.startsWith('ipc://')) {
    const path = endpoint.slice('ipc://'.length)
    if (path === '') return 'an ipc endpoint needs a path: ipc:///run/netloom/rpc'
    // sun_path in unix(7) has 108 bytes, the closing NUL included.
    return Buffer.byteLength(path) > 107 ? `the path has ${Buffer.byteLength(path)} bytes, a unix socket takes at most 107` : undefined
  }
  const port = tcpParts(endpoint)?.port
  if (port === undefined) return 'expected tcp://ADDRESS:PORT, tcp://[IPV6]:PORT or ipc:///PATH'
  return port === '*' || (Number(port) >= 1 && Number(port) <= 65_535) ? undefined : `${port} is no port: expected 1 to 65535`
}

/** Undefined when an agent can connect to it; else what is wrong with it. */
export function serverFault(endpoint: string): string | undefined {
  const fault = endpointFault(endpoint)
  if (fault !== undefined) return fault
  const { host, port } = tcpParts(endpoint) ?? {}
  if (port === '*') return '* is no port to connect to: expected 1 to 65535'
  return host === '*' ? '* is no address to connect to: name the server’s machine' : undefined
}
