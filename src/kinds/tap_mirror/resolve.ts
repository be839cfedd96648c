import type { TapMirrorDeclared } from '../../../schemas/tap_mirror.ts'
import type { Finding } from '../../model/issue.ts'
import type { Declared } from '../../model/resource.ts'
import { takenFinding } from '../findings.ts'
import type { Pools, Resolved, View } from '../kind.ts'
import { uniquePool } from '../pools.ts'
import { ID_WORD, writtenDirections } from './check.ts'
import type { TapMirrorSpec } from './spec.ts'

/** A collector knows copies by their number alone: each is given once for each collector and way of packing. (Neutron: once in the installation.) */
export function resolveTapMirror(resource: Declared, _view: View, pools: Pools): Resolved<TapMirrorSpec> {
  const { port, mirror_type, remote_ip, description = '' } = resource.spec as TapMirrorDeclared
  const findings: Finding[] = []
  for (const [direction, id] of writtenDirections(resource.spec)) {
    const claim = pools.claim(uniquePool('mirror', mirror_type, remote_ip), String(id))
    if (claim.ok || claim.reason !== 'taken') continue
    const message = `${ID_WORD[mirror_type]} ${id} towards ${remote_ip} is in use`
    const hint = 'write another number'
    findings.push(takenFinding(claim, { code: 'E1114', message, at: ['directions', direction], holderAt: ['directions'], hint }))
  }
  const directions = Object.fromEntries(writtenDirections(resource.spec))
  return { spec: { port, mirror_type, remote_ip, directions, description }, findings }
}
