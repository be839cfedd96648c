import { IP_AVAILABILITY } from '../plugins/network-ip-availability/plugin.ts'
import { availability } from '../server/plan/availability.ts'
import { renderAvailability } from '../server/render/availability.ts'
import { demandAlias } from './demand-alias.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { lookOffline } from './offline.ts'
import { type Output, styleOf } from './output.ts'

/** `netloom availability [DIR]`: how many addresses each subnet of the current revision has left. Reads the state file; needs no server. */
export async function showAvailability(dir: string, stateFile: string, output: Output): Promise<ExitCode> {
  const look = await lookOffline(dir, stateFile, 'read')
  try {
    demandAlias(look.context.directory, IP_AVAILABILITY, 'network_ip_availability')
    const subnets = availability(look.base.world)
    const plain = subnets.map((s) => ({ ...s, total: s.total.toString(), free: s.free.toString() }))
    output.result({ revision: look.base.revision, subnets: plain }, () => renderAvailability(subnets, styleOf(output)))
    return EXIT.clean
  } finally {
    await look.store.close()
  }
}
