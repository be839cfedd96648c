import { resubmit, set } from '../compile/build.ts'
import { FAULT, type Fault, type RegisterName, registerValue } from '../compile/registers.ts'
import { TRAP } from '../compile/traps.ts'
import type { Trapped } from '../driver/packet-channel.ts'
import type { Flow, Match } from '../flow/types.ts'
import type { PacketOut } from '../openflow/packets.ts'
import { advertFrame, askerOf, readAdverts } from './advert.ts'
import type { Adverts } from './advertiser.ts'
import { icmpError } from './icmp-error.ts'

const FAULTS: ReadonlyMap<number, Fault> = new Map((Object.keys(FAULT) as Fault[]).map((name) => [FAULT[name], name]))

/** What a router says of a packet that it does not forward (table `router_fault`). Undefined: nothing. */
export function refuse({ packet, metadata, data }: Trapped): PacketOut | undefined {
  const number = (name: RegisterName): number => Number(registerValue(name, metadata))
  const fault = FAULTS.get(number('fault'))
  const port = metadata.in_port?.value
  if (fault === undefined || port === undefined) return undefined
  const [from, to] = [macIn('lladdr', metadata), macIn('owner_mac', metadata)]
  const error = icmpError({ fault, frame: packet, mtu: number('path_mtu'), from, to, sources: data })
  if (error === undefined) return undefined
  return { packet: error, in_port: Number(port), actions: [set('target', number('target')), resubmit('router_back')] }
}

/** What the routers of a network answer a guest that asks for them (table `advertise`). */
export function advertise({ packet, metadata, data }: Trapped): readonly PacketOut[] {
  const asker = askerOf(packet)
  const port = metadata.in_port?.value
  if (asker === undefined || port === undefined) return []
  const actions = [set('target', Number(registerValue('sender', metadata))), resubmit('router_back')]
  return readAdverts(data).map((body) => ({ packet: advertFrame(body, { asker }), in_port: Number(port), actions }))
}

/** What stands in the table `advertise`. */
export function advertsIn(flows: readonly Flow[]): Adverts {
  return new Map(
    flows.flatMap(({ match, actions }) => {
      const network = match.metadata?.value
      const asked = actions.find((a) => a.kind === 'controller')
      const data = Buffer.from(asked?.userdata ?? '', 'hex')
      if (network === undefined || data[0] !== TRAP.advert) return []
      return [[Number(network), readAdverts(data.subarray(1))] as const]
    }),
  )
}

function macIn(name: RegisterName, fields: Match): Buffer {
  return Buffer.from(registerValue(name, fields).toString(16).padStart(12, '0'), 'hex')
}
