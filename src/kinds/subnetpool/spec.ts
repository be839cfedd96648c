import { type Cidr, parseCidr } from '../../lib/cidr.ts'

/** A resolved subnet pool. */
export type SubnetpoolSpec = {
  /** Canonical, of one family, compacted and sorted; at least one. */
  readonly prefixes: readonly string[]
  readonly ip_version: 4 | 6
  readonly min_prefixlen: number
  readonly default_prefixlen: number
  readonly max_prefixlen: number
  /** In addresses (IPv4) or /64 blocks (IPv6) for each project. Absent: no limit. */
  readonly default_quota?: number
  /** As written: name or project/name. */
  readonly address_scope?: string
  readonly is_default: boolean
  readonly shared: boolean
  readonly description: string
}

/** What subnets and pools mean by the default pool of a family, `4` or `6`: a name that both mention, no resource. */
export const DEFAULT_SUBNETPOOL = 'default_subnetpool'

/** The prefixes of a pool that was resolved, or whose declaration passed `normalise`. */
export function poolPrefixes(spec: { readonly prefixes: readonly string[] }): readonly Cidr[] {
  return spec.prefixes.map((text) => {
    const parsed = parseCidr(text)
    if (parsed === undefined) throw new Error(`a subnet pool got past its checks with prefix ${text}`)
    return parsed.cidr
  })
}

/** The family of a declaration that passed `normalise`, without parsing. */
export function poolFamily(spec: { readonly prefixes: readonly string[] }): 4 | 6 {
  return spec.prefixes[0]?.includes(':') === true ? 6 : 4
}

/** Neutron's defaults (B2). */
export function prefixLengths(
  spec: { readonly min_prefixlen?: number; readonly default_prefixlen?: number; readonly max_prefixlen?: number },
  family: 4 | 6,
): Pick<SubnetpoolSpec, 'min_prefixlen' | 'default_prefixlen' | 'max_prefixlen'> {
  const min = spec.min_prefixlen ?? (family === 4 ? 8 : 64)
  return {
    min_prefixlen: min,
    default_prefixlen: spec.default_prefixlen ?? min,
    max_prefixlen: spec.max_prefixlen ?? (family === 4 ? 32 : 128),
  }
}
