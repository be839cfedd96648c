import type { Json } from '../../model/brand.ts'
import type { Issue, Place } from '../../model/issue.ts'
import type { Key } from '../../model/key.ts'
import type { Resource } from '../../model/resource.ts'
import type { DeclaredOps, Holding } from '../engine/types.ts'

export type Action = 'create' | 'update' | 'delete' | 'recreate'

/** One line of a plan. */
export interface Change {
  readonly action: Action
  readonly key: Key
  readonly before?: Resource
  readonly after?: Resource
  readonly attributes: readonly AttributeChange[]
  /** Attributes that stay as they are: counted, not shown. */
  readonly unchanged: number
  /** Why: `written`, `removed from the repo`, or what it follows from (`network blue: mtu`). */
  readonly reason: string
  readonly place?: Place
  /** Hosts whose target changes because of it, sorted. */
  readonly hosts: readonly string[]
}

export interface AttributeChange {
  /** `fixed_ips[0].ip_address`. */
  readonly path: string
  readonly before?: Json
  readonly after?: Json
  /** True when Netloom chose the value (address, MAC, segment): the plan says so. */
  readonly allocated?: boolean
  /** This attribute is why the resource is re-created. */
  readonly forces?: boolean
}

export interface GitInfo {
  readonly commit: string
  readonly author: string
  readonly subject: string
  readonly dirty: boolean
}

/** A computed plan: a pure function of base world, ops and allocations. `id` is derived from its content. */
export interface Plan {
  /** `p-` and 8 hex digits of the content's SHA-256 (base revision, plugins, ops, changes). */
  readonly id: string
  readonly base: number
  /** The plugins it was made with (`Directory.registry`): with others the same YAML may mean something else. */
  readonly registry: string
  readonly git?: GitInfo
  readonly changes: readonly Change[]
  readonly ops: DeclaredOps
  /** Allocation rows to write and to remove (`pool|value`). */
  readonly allocations: { readonly set: readonly Holding[]; readonly del: readonly string[] }
  readonly notes: readonly Issue[]
  readonly blocked: readonly GuardVerdict[]
  readonly hosts: readonly string[]
  readonly summary: Summary
}

export interface Summary {
  readonly create: number
  readonly update: number
  readonly delete: number
  readonly recreate: number
}

export type GuardName = 'empty-tree' | 'installation' | 'vanished-file' | 'delete-ratio' | 'delete-count' | 'renumber'

/** A reason to refuse a plan, with the exact override. */
export interface GuardVerdict {
  readonly guard: GuardName
  readonly message: string
  readonly cause?: string
  /** How many resources or files it is about; an override must name exactly this number. */
  readonly count: number
  /** `--allow delete-ratio=104`. Absent: cannot be overridden. */
  readonly override?: string
}
