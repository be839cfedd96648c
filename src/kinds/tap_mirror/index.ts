import { tapMirrorSchema } from '../../../schemas/tap_mirror.ts'
import type { KindDefinition } from '../kind.ts'
import { checkTapMirror, normaliseTapMirror, tapMirrorReferences } from './check.ts'
import { lowerTapMirror } from './lower.ts'
import { resolveTapMirror } from './resolve.ts'
import type { TapMirrorSpec } from './spec.ts'

export const tapMirror: KindDefinition<TapMirrorSpec> = {
  kind: 'tap_mirror',
  collection: 'tap_mirrors',
  scope: 'project',
  summary: 'A port of whose frames a collector outside gets copies, by GRE or ERSPAN.',
  schema: tapMirrorSchema,
  after: ['port', 'network', 'host', 'site'],
  mutability: { port: 'in place', mirror_type: 'in place', remote_ip: 'in place', directions: 'in place', description: 'in place' },
  normalise: normaliseTapMirror,
  references: tapMirrorReferences,
  check: checkTapMirror,
  resolve: resolveTapMirror,
  lower: lowerTapMirror,
}
