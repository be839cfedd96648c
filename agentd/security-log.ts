import * as files from 'node:fs/promises'
import { join } from 'node:path'
import { openLineFile } from '../src/lib/line-file.ts'
import type { LogEntry } from '../src/model/log-entry.ts'
import type { Log } from './log.ts'

const MEGABYTE = 1024 * 1024
const DEFAULT_MB = 16

/** The host's own record of what logs ask for. */
export interface SecurityLog {
  /** `revision`: what the switch held then. */
  write(entry: LogEntry, revision: number | undefined): void
  close(): Promise<void>
}

export interface SecurityLogOptions {
  readonly host: string
  readonly stateDir: string
  readonly securityLog?: string
  readonly securityLogMb?: number
  readonly log: Log
}

/** One JSON object a line. The file is made with the first of them. */
export function openSecurityLog({ host, stateDir, securityLog, securityLogMb, log }: SecurityLogOptions): SecurityLog {
  const path = securityLog ?? join(stateDir, 'log', 'security.jsonl')
  const file = openLineFile({
    path,
    maxBytes: (securityLogMb ?? DEFAULT_MB) * MEGABYTE,
    files,
    setTimer: (ms, fn) => {
      const timer = setTimeout(fn, ms)
      return { cancel: () => clearTimeout(timer) }
    },
    onTrouble(trouble) {
      if ('error' in trouble)
        log('error', 'connections that logs ask for cannot be written down; trying again with the next', { file: path, ...trouble })
      else log('warn', 'connections that logs ask for are written down again', { file: path, ...trouble })
    },
  })
  return {
    write(entry, revision) {
      const at = revision === undefined ? {} : { revision }
      const { time, ...what } = entry
      file.add(JSON.stringify({ time, host, ...at, ...what }))
    },
    close: () => file.close(),
  }
}
