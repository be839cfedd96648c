import { hash } from 'node:crypto'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Lower-case text with hyphens, the only form OVS and Neutron compare. */
export function isUuid(text: string): boolean {
  return UUID.test(text)
}

/** Version 5 (RFC 9562, 5.5): SHA-1 of namespace and name. Same name, same UUID, on every machine. Throws when the namespace is no UUID. */
export function uuidsIn(namespace: string): (name: string) => string {
  if (!isUuid(namespace)) throw new Error(`not a UUID: ${namespace}`)
  const prefix = Buffer.from(namespace.replaceAll('-', ''), 'hex').toString('latin1')
  return (name) => {
    // A name in ASCII has the same bytes in both encodings.
    const bytes = ASCII.test(name)
      ? Buffer.from(prefix + name, 'latin1')
      : Buffer.concat([Buffer.from(prefix, 'latin1'), Buffer.from(name)])
    return uuidOf(hash('sha1', bytes))
  }
}

const ASCII = /^[\x20-\x7e]*$/

function uuidOf(hex: string): string {
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, variant + hex.slice(17, 20), hex.slice(20, 32)].join('-')
}
