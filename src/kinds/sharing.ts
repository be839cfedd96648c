import type { Key } from '../model/key.ts'

/** What other projects may be given (Neutron's `access_as_shared` and `access_as_external`). */
export type Access = 'shared' | 'external'

export type Sharing =
  /**
   * By `rbac_policies` that name it. `everybody`: what can be given at all, each with the boolean attribute that gives it to every project; null
   * where no attribute does.
   */
  | { readonly by: 'grant'; readonly everybody: Readonly<Partial<Record<Access, string | null>>> }
  /** As the resource that it is a part of, which `attribute` names: a subnet as its network. */
  | { readonly by: 'whole'; readonly kind: string; readonly attribute: string }

/** `target_project` of who is meant when everybody is. */
export const EVERYBODY = '*'

/** What policies and users mean by the same grant: a name both mention, no resource. */
export const GRANT = 'rbac_access'

export function grantName(access: Access, target: Key, project: string): string {
  return `${access}/${target}/${project}`
}

/** The kinds that an `rbac_policy` can name. */
export function canBeGranted(kind: { readonly sharing?: Sharing }): boolean {
  return kind.sharing?.by === 'grant'
}
