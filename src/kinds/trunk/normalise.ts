import type { TrunkDeclared } from '../../../schemas/trunk.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import type { Normalised, Reference } from '../kind.ts'

export function trunkReferences(spec: JsonObject): readonly Reference[] {
  const { port, subports = [] } = spec as TrunkDeclared
  const own = (name: string, at: Reference['at']): Reference => ({ kind: 'port', name, at, access: 'own' })
  return [own(port, ['port']), ...subports.map((s, i) => own(s.port, ['subports', i, 'port']))]
}

/** What can be said about the list alone: each port once, each VLAN id once. */
export function normaliseTrunk(spec: JsonObject): Normalised {
  const { port, subports = [] } = spec as TrunkDeclared
  const findings: Finding[] = []
  const ports = new Map([[port, 'the parent']])
  const ids = new Map<number, number>()
  subports.forEach((subport, i) => {
    const place = `place ${i + 1}`
    const before = ports.get(subport.port)
    if (before !== undefined) {
      const message = `subport ${subport.port} (${place}) is ${before === 'the parent' ? 'the parent itself' : `there twice, the first time in ${before}`}`
      findings.push({ code: 'E0350', message, at: ['subports', i, 'port'], hint: 'remove it' })
    } else ports.set(subport.port, place)
    const { segmentation_id: id, segmentation_type: type = 'vlan' } = subport
    if ((type === 'vlan') !== (id !== undefined)) findings.push(unfitting(subport.port, type, i))
    const first = id === undefined ? undefined : ids.get(id)
    if (id !== undefined && first !== undefined) {
      const message = `VLAN ${id} of subport ${subport.port} (${place}) is that of ${subports[first]?.port} (place ${first + 1})`
      findings.push({ code: 'E0351', message, at: ['subports', i, 'segmentation_id'], hint: 'write another id, from 1 to 4094' })
    } else if (id !== undefined) ids.set(id, i)
  })
  return { spec: { ...spec, ...(subports.length === 0 ? {} : { subports: subports.map(plain) }) }, findings }
}

/** `segmentation_type: vlan` says nothing that its absence does not. */
function plain({ port, segmentation_type, segmentation_id }: Subport): JsonObject {
  return {
    port,
    ...(segmentation_type === 'inherit' ? { segmentation_type } : {}),
    ...(segmentation_id === undefined ? {} : { segmentation_id }),
  }
}

type Subport = NonNullable<TrunkDeclared['subports']>[number]

function unfitting(port: string, type: 'vlan' | 'inherit', i: number): Finding {
  return type === 'vlan'
    ? {
        code: 'E0352',
        message: `subport ${port} (place ${i + 1}) has no segmentation_id: nothing tells its frames from others`,
        at: ['subports', i],
        hint: 'write segmentation_id: 100, or segmentation_type: inherit for that of its network',
      }
    : {
        code: 'E0352',
        message: `subport ${port} (place ${i + 1}) has both segmentation_type: inherit and a segmentation_id`,
        at: ['subports', i, 'segmentation_id'],
        hint: 'remove one of the two',
      }
}
