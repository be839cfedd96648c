/** A resolved quota: collection → limit. */
export type QuotaSpec = { readonly [collection: string]: number }

export const UNLIMITED = -1

/** The entry whose limits hold where a project has none of its own. */
export const DEFAULT_QUOTA = '*'
