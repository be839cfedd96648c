import type { NetworkDeclared } from '../../../schemas/network.ts'
import type { Finding } from '../../model/issue.ts'
import type { SegmentWish } from './segment.ts'
import type { TypeDrivers } from './type-driver.ts'

/** Which attributes of a segment go together (Neutron: B3.6). */
export function segmentFindings({ written, at: within }: SegmentWish, types: TypeDrivers): Finding[] {
  const { network_type: type, physical_network: physnet, segmentation_id: id } = written
  const provider = physnet === undefined ? 'segmentation_id' : 'physical_network'
  const no = (message: string, at: string, hint: string): Finding[] => [{ code: 'E0202', message, at: [...within, at], hint }]
  if (type === undefined) {
    if (physnet === undefined && id === undefined) return []
    return no(`${provider} needs a network_type`, provider, `add network_type: ${physnet === undefined ? 'vxlan' : 'vlan'}`)
  }
  const driver = types.get(type)
  if (driver === undefined) return []
  const what = `a ${type} ${within.length === 0 ? 'network' : 'segment'}`
  if (physnet !== undefined && driver.physical_network === 'none')
    return no(`${what} has no physical_network`, 'physical_network', 'remove physical_network')
  if (
    physnet === undefined &&
    (driver.physical_network === 'required' || (driver.physical_network === 'with-number' && id !== undefined))
  ) {
    const which = driver.physical_network === 'with-number' ? ' with a segmentation_id' : ''
    return no(`${what}${which} needs a physical_network`, 'network_type', 'add physical_network: …')
  }
  const { numbers } = driver
  if (id === undefined) return []
  if (numbers === undefined) return no(`${what} has no segmentation_id`, 'segmentation_id', 'remove segmentation_id')
  if (id >= numbers.first && id <= numbers.last) return []
  return [
    {
      code: 'E0204',
      message: `segmentation_id ${id} is not within ${numbers.first}–${numbers.last}, the numbers of ${type}`,
      at: [...within, 'segmentation_id'],
      hint: 'write one of them, or leave it out to get a free one',
    },
  ]
}

/** `segments` stand alone (Neutron's multi-provider excludes provider attributes), and are different ones. */
export function listFindings(network: NetworkDeclared): Finding[] {
  const { segments } = network
  if (segments === undefined) return []
  const beside = (['network_type', 'physical_network', 'segmentation_id'] as const).filter((name) => network[name] !== undefined)
  const exclusive = beside.map((name): Finding => {
    const message = `${name} and segments exclude each other`
    return { code: 'E0342', message, at: [name], hint: 'write all segments in the list, or remove segments' }
  })
  const seen = new Map<string, number>()
  const twice = segments.flatMap((segment, i): Finding[] => {
    const { network_type: type, physical_network: physnet, segmentation_id: id, name } = segment
    // Several whose number is chosen are different ones; without a number, type and physical network say all.
    const same = id === undefined && type !== 'flat' && type !== 'local' ? undefined : `${type} ${physnet ?? ''} ${id ?? ''}`
    const out: Finding[] = []
    const check = (value: string | undefined, message: (first: number) => string, at: string): void => {
      const first = value === undefined ? undefined : seen.get(value)
      if (first !== undefined)
        out.push({ code: 'E0342', message: message(first), at: ['segments', i, at], hint: 'remove one, or change it' })
      else if (value !== undefined) seen.set(value, i)
    }
    check(
      same,
      (first) => `the segments at places ${first + 1} and ${i + 1} are the same`,
      id === undefined ? 'network_type' : 'segmentation_id',
    )
    check(
      name === undefined ? undefined : `name ${name}`,
      (first) => `segment ${name} is there twice (places ${first + 1} and ${i + 1})`,
      'name',
    )
    return out
  })
  return [...exclusive, ...twice]
}
