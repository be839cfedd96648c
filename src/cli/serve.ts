import { resolve } from 'node:path'
import { pino } from 'pino'
import { openDuty } from '../server/duty.ts'
import { checkRoot } from '../server/repo/scan.ts'
import { startServer } from '../server/serve.ts'
import { readServerKey, serverKeyPath } from '../server/server-key.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import type { Output } from './output.ts'

export interface ServeOptions {
  readonly stateFile: string
  readonly manual?: true
  readonly insecureLab?: true
  readonly keys?: string
  readonly hostKeys?: string
  readonly fresh?: true
  readonly heartbeat: number
  readonly pub?: string
  readonly rpc?: string
  readonly reports?: string
}

/** `netloom serve [DIR]`: runs until SIGTERM or SIGINT; logs one JSON object per line on stderr. */
export async function serve(dir: string, options: ServeOptions, output: Output): Promise<ExitCode> {
  const logger = pino({ timestamp: pino.stdTimeFunctions.isoTime, base: null }, pino.destination({ fd: 2, sync: true }))
  const { pub, rpc, reports } = options
  const endpoints: Partial<Endpoints> = {
    ...(pub === undefined ? {} : { pub }),
    ...(rpc === undefined ? {} : { rpc }),
    ...(reports === undefined ? {} : { reports }),
  }
  const keyFile = options.keys ?? serverKeyPath(options.stateFile)
  const keys = readServerKey(keyFile)
  if (keys === undefined && options.keys !== undefined)
    throw new CommandError(`there is no key file ${keyFile}`, { hint: 'netloom keys server makes one beside the state file' })
  checkRoot(resolve(dir))
  const server = await startServer({
    dir: resolve(dir),
    stateFile: options.stateFile,
    endpoints,
    mode: options.manual === true ? 'manual' : 'auto',
    insecureLab: options.insecureLab === true,
    ...(keys === undefined ? {} : { keys }),
    ...(options.hostKeys === undefined ? {} : { hostKeys: options.hostKeys }),
    heartbeatMs: options.heartbeat,
    fresh: options.fresh === true,
    log: (level, message, detail) => logger[level](detail ?? {}, message),
  })
  const duty = await openDuty(server, options.stateFile)
  logger.info({ ...server.endpoints, control: duty.path, keys: keys !== undefined, revision: server.controller.base.revision }, 'serving')
  output.result(
    { endpoints: server.endpoints, revision: server.controller.base.revision },
    () => `serving ${dir} at ${server.endpoints.rpc}`,
  )
  await new Promise<void>((done) => {
    process.once('SIGTERM', done)
    process.once('SIGINT', done)
  })
  await duty.close()
  await server.close()
  // Not asked to end, but ended by itself: one of the hub's threads died, and whoever watches over this process is to start it again.
  return process.exitCode === undefined ? EXIT.clean : EXIT.error
}
