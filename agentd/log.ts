import { pino } from 'pino'

export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void

/** One JSON object per line on stderr, the host on every line. */
export function createLog(host: string, level: string): Log {
  const logger = pino({ level, base: { host }, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: true }))
  return (lvl, message, detail) => logger[lvl](detail ?? {}, message)
}
