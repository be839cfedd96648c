import type { NetworkSegmentRangeDeclared } from '../../../schemas/network_segment_range.ts'
import type { JsonObject } from '../../model/brand.ts'
import type { Finding } from '../../model/issue.ts'
import { displayKey, type Key } from '../../model/key.ts'
import type { Declared } from '../../model/resource.ts'
import type { Normalised, Reference, View } from '../kind.ts'
import type { TypeDriver, TypeDrivers } from '../network/type-driver.ts'
import { segmentPool } from '../pools.ts'
import { ALL_RANGES } from './spec.ts'

/** Rules that need no other resource. */
export function normaliseRange(spec: JsonObject, types: TypeDrivers): Normalised {
  const range = spec as NetworkSegmentRangeDeclared
  const driver = types.get(range.network_type)
  return {
    spec,
    findings: [
      ...(driver === undefined ? [] : [...placeFindings(range, driver), ...boundFindings(range, driver)]),
      ...sharingFindings(range),
    ],
  }
}

function placeFindings({ physical_network: physnet }: NetworkSegmentRangeDeclared, driver: TypeDriver): readonly Finding[] {
  const wants = driver.physical_network !== 'none'
  if (wants === (physnet !== undefined)) return []
  const message = wants ? `a range of ${driver.type} needs a physical_network` : `a range of ${driver.type} has no physical_network`
  const hint = wants ? 'add physical_network: …' : 'remove physical_network'
  return [{ code: 'E0292', message, at: [wants ? 'network_type' : 'physical_network'], hint }]
}

function boundFindings({ minimum, maximum }: NetworkSegmentRangeDeclared, { type, numbers }: TypeDriver): readonly Finding[] {
  if (numbers === undefined)
    return [{ code: 'E0292', message: `a ${type} network has no number`, at: ['network_type'], hint: 'name a type that has numbers' }]
  const findings = (['minimum', 'maximum'] as const).flatMap((at): Finding[] => {
    const n = at === 'minimum' ? minimum : maximum
    if (n >= numbers.first && n <= numbers.last) return []
    const message = `${at} ${n} is not within ${numbers.first}–${numbers.last}, the numbers of ${type}`
    return [{ code: 'E0290', message, at: [at], hint: 'write one of them' }]
  })
  if (minimum <= maximum) return findings
  const message = `minimum ${minimum} is above maximum ${maximum}`
  return [...findings, { code: 'E0290', message, at: ['minimum'], hint: `write minimum: ${maximum}, maximum: ${minimum}` }]
}

/** Neutron: a range that is not shared belongs to a project. Here the other way round too, so that no project is written in vain. */
function sharingFindings({ shared, project }: NetworkSegmentRangeDeclared): readonly Finding[] {
  if (shared === true && project !== undefined)
    return [
      {
        code: 'E0291',
        message: `a shared range is nobody’s, and project says ${project}`,
        at: ['project'],
        hint: 'remove shared, or project',
      },
    ]
  if (shared === false && project === undefined)
    return [
      { code: 'E0291', message: 'a range that is not shared needs a project', at: ['shared'], hint: 'add project: …, or remove shared' },
    ]
  return []
}

/** All ranges mention one name, by which networks and other ranges find them. */
export function rangeReferences(): readonly Reference[] {
  return [{ ...ALL_RANGES, at: ['network_type'], open: true }]
}

/** Rules that need the site and the other ranges. */
export function checkRange(resource: Declared, view: View, types: TypeDrivers): readonly Finding[] {
  const range = resource.spec as NetworkSegmentRangeDeclared
  const { type_drivers: on } = view.site()
  const off: readonly Finding[] = on.includes(range.network_type)
    ? []
    : [
        {
          code: 'E0294',
          message: `network_type ${range.network_type} is not in use here; type_drivers has ${on.join(', ') || 'none'}`,
          at: ['network_type'],
          hint: `write one of these, or add ${range.network_type} to type_drivers in netloom.yaml`,
        },
      ]
  return [...off, ...overlapFindings(resource, view, types)]
}

/** Told once for two ranges: of the later by identity. Types that are carried alike share their numbers. */
function overlapFindings(resource: Declared, view: View, types: TypeDrivers): readonly Finding[] {
  const range = resource.spec as NetworkSegmentRangeDeclared
  return rangeKeys(view)
    .filter((key) => key < resource.key)
    .flatMap((key): readonly Finding[] => {
      const other = view.declared(key)?.spec as NetworkSegmentRangeDeclared | undefined
      if (other === undefined || poolOf(other, types) !== poolOf(range, types)) return []
      if (other.minimum > range.maximum || range.minimum > other.maximum) return []
      const here = `${range.minimum}–${range.maximum}`
      return [
        {
          code: 'E0293',
          message: `${here} overlaps ${other.minimum}–${other.maximum} of ${displayKey(key)}`,
          at: ['minimum'],
          related: [{ message: `${other.minimum}–${other.maximum}`, key, at: ['minimum'] }],
          hint: 'let one of the two end before the other begins',
        },
      ]
    })
}

/** The ranges that are declared, in order of identity. */
export function rangeKeys(view: View): readonly Key[] {
  return view.users(view.ref(ALL_RANGES.kind, ALL_RANGES.name), 'network_segment_range')
}

function poolOf({ network_type, physical_network }: NetworkSegmentRangeDeclared, types: TypeDrivers): string {
  return segmentPool(types.get(network_type)?.carriage ?? network_type, physical_network)
}
