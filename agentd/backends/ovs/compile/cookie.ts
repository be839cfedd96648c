import { hash48 } from '../../../../src/lib/digest.ts'
import type { Key } from '../../../../src/model/key.ts'

/** The upper 16 bits of every cookie of ours: `NL`. A flow without them is not ours. */
const PREFIX = 0x4e4cn
const SHIFT = 48n

/** Cookie of a flow that exists for one resource: pinned to its identity, so a revision, a file or a host does not change it. */
export function cookieOf(owner: Key): bigint {
  return cookie(owner)
}

/** Cookie of a set of flows that several resources share (`pipeline`, `learned net/…`). No key starts with `set `, so the two never meet. */
export function cookieOfSet(name: string): bigint {
  return cookie(`set ${name}`)
}

/** What a flow with a certain cookie does for the resource that the cookie leads back to. */
export type CookieUse = 'own' | 'flood' | 'learned' | 'learned-here' | 'members' | 'snooped' | 'adverts'

/** Every cookie that flows for a resource carry, as `ovs-ofctl` writes it. `domains`: of a network, as `domainOf` names its segments. */
export function cookiesOf(owner: Key, domains: readonly string[]): ReadonlyMap<string, CookieUse> {
  const heard = (['learned', 'learned-here', 'snooped'] as const).flatMap((use) =>
    domains.map((domain): [string, CookieUse] => [cookieText(cookieOfSet(`${use} ${domain}`)), use]),
  )
  const sets = (['flood', 'members', 'adverts'] as const).map((use): [string, CookieUse] => [
    cookieText(cookieOfSet(`${use} ${owner}`)),
    use,
  ])
  return new Map([...heard, ...sets, [cookieText(cookieOf(owner)), 'own']])
}

/** The cookie of the flows that every host has, whatever its ports are. */
export const PIPELINE_COOKIE: string = cookieText(cookieOfSet('pipeline'))
/** What every cookie of ours begins with. */
export const COOKIE_PREFIX: string = `0x${PREFIX.toString(16)}`

function cookieText(value: bigint): string {
  return `0x${value.toString(16)}`
}

/** Every cookie of ours, as a filter. */
export const allOurs: { readonly value: bigint; readonly mask: bigint } = { value: PREFIX << SHIFT, mask: 0xffffn << SHIFT }

export function isOurs(value: bigint): boolean {
  return value >> SHIFT === PREFIX
}

function cookie(identity: string): bigint {
  return (PREFIX << SHIFT) | BigInt(hash48(identity))
}
