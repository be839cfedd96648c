/** A resolved RBAC policy. */
export type RbacPolicySpec = {
  readonly object_type: string
  /** As written: name or project/name. */
  readonly object: string
  readonly action: 'access_as_shared' | 'access_as_external'
  readonly target_project: string
}
