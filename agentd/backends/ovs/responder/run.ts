import { existsSync } from 'node:fs'
import type { ResponderOptions } from '../../backend.ts'
import { BRIDGE } from '../compile/names.ts'
import { table } from '../compile/pipeline.ts'
import { RESPONDER_CONTROLLER } from '../compile/traps.ts'
import { PacketChannel } from '../driver/packet-channel.ts'
import type { PacketOut } from '../openflow/packets.ts'
import { Advertiser } from './advertiser.ts'
import { advertise, advertsIn, refuse } from './answer.ts'
import { listenControl, socketPath } from './control.ts'

const LOOK_MS = 2000
const ADVERTISE = table('advertise').number

/**
 * Answers what flows cannot, beside the agent and also when that is gone: all that an answer needs stands in the flow that asked for it, or in the packet. Runs until it is told to stop
 * (SIGTERM, or by its socket in the switch's run directory), or until that directory is gone. Returns at once where one runs already.
 */
export async function runResponder({ rundir, log }: ResponderOptions): Promise<void> {
  let stop = (_why: string): void => {}
  const stopped = new Promise<string>((resolve) => {
    stop = resolve
  })
  const path = socketPath(rundir)
  const control = await listenControl(path, () => stop('told to'))
  if (control === undefined) {
    log('info', 'a responder runs already', { rundir })
    return
  }
  const channel: PacketChannel = new PacketChannel({
    path: `${rundir}/${BRIDGE}.mgmt`,
    controller: RESPONDER_CONTROLLER,
    log,
    onPacket: {
      fault: (packet) => send(refuse(packet)),
      advert: (packet) => advertise(packet).forEach(send),
    },
    onConnected: () => control.hears(),
  })
  const send = (out: PacketOut | undefined): void => {
    if (out !== undefined) void channel.send(out)
  }
  const advertiser = new Advertiser({ send, random: Math.random })
  channel.want('fault', true)
  process.once('SIGTERM', () => stop('SIGTERM'))
  process.once('SIGINT', () => stop('SIGINT'))
  /** A switch that cannot be asked says nothing new. */
  const look = async (): Promise<void> => {
    const flows = await channel.flows(ADVERTISE)
    if (flows !== undefined) advertiser.look(advertsIn(flows), performance.now() / 1000)
  }
  const timer = setInterval(() => {
    // The directory goes with the switch; nobody would find this process again.
    if (!existsSync(path)) stop('the run directory of the switch is gone')
    void look()
  }, LOOK_MS)
  log('info', 'answering', { rundir, pid: process.pid })
  log('info', 'stopping', { why: await stopped })
  clearInterval(timer)
  // Routers that have just gone say so.
  await look()
  control.close()
  await channel.close()
}
