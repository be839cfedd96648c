import { uuidsIn } from '../lib/uuid.ts'
import type { Declared } from '../model/resource.ts'

/** The namespace of all derived ids. Never changes: a port's id is what `external_ids:iface-id` holds on running hosts. */
const NAMESPACE = '8f2d1c6e-5b0a-5e43-9c57-6e65746c6f6d'

const derived = uuidsIn(NAMESPACE)

/** The UUID of a resource: what `id:` says, or version 5 of its identity. */
export function resourceId(declared: Declared): string {
  const id = declared.spec['id']
  return typeof id === 'string' ? id : derived(declared.key)
}
