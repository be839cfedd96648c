import type { NetworkDeclared } from '../../../schemas/network.ts'
import { listed } from '../../lib/text.ts'
import type { Finding } from '../../model/issue.ts'
import type { Ability, MechanismDriver } from '../port/mechanism-driver.ts'

/** What guests' own VLAN tags are asked of a network by (Neutron: B3.19), and how it is said. */
const ASKED = {
  vlan_transparent: 'hands on the VLAN tags of its guests',
  qinq: 'hands on the VLAN tags of its guests within a tag of its own',
} as const

/**
 * A network may ask for it when at least one mechanism driver of the site says that it can, and none says that it cannot: whichever binds a port of it must keep the promise. A driver that says
 * nothing does not count.
 */
export function transparencyFindings(network: NetworkDeclared, mechanisms: readonly MechanismDriver[]): readonly Finding[] {
  return (Object.keys(ASKED) as (keyof typeof ASKED)[]).flatMap((name) => (network[name] === true ? refusal(name, mechanisms) : []))
}

function refusal(name: keyof typeof ASKED, mechanisms: readonly MechanismDriver[]): Finding[] {
  const said = mechanisms.map((driver): [string, Ability | undefined] => [driver.name, driver[name]])
  const vetoes = said.flatMap(([driver, ability]) => (ability?.can === false ? [`${driver}: ${ability.why}`] : []))
  if (vetoes.length === 0 && said.some(([, ability]) => ability?.can === true)) return []
  const names = mechanisms.map((driver) => driver.name)
  const why = vetoes.length > 0 ? vetoes.join('; ') : `${listed(names)} ${names.length === 1 ? 'does' : 'do'} not say that it can`
  return [
    {
      code: 'E0218',
      message: `${name}: no network here ${ASKED[name]}: ${why}`,
      at: [name],
      hint: 'take it out, and give guests with several VLANs a trunk with a subport for each',
    },
  ]
}
