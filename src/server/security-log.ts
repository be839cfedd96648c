import * as files from 'node:fs/promises'
import { openLineFile } from '../lib/line-file.ts'
import { isPacket, type LogEntry, type LogLine } from '../model/log-entry.ts'
import type { LogBatch, Report } from '../wire/messages.ts'
import type { RuleOrigins } from './rule-origins.ts'
import type { ServerLog } from './server-log.ts'

/** Of the file that is written; the one before has as much. */
const MAX_BYTES = 32 * 1024 * 1024

export interface SecurityLogOptions {
  readonly stateFile: string
  readonly log: ServerLog
  readonly origin: RuleOrigins
}

/** What hosts tell of connections that logs ask for, in one file beside the state file, each with the place of its rule. */
export interface SecurityLog {
  take(report: Report): void
  close(): Promise<void>
}

/** Named after the state file, as the control socket is. */
export function securityLogPath(stateFile: string): string {
  return `${stateFile}.security.jsonl`
}

export function openSecurityLog({ stateFile, log, origin }: SecurityLogOptions): SecurityLog {
  const path = securityLogPath(stateFile)
  const file = openLineFile({
    path,
    maxBytes: MAX_BYTES,
    files,
    setTimer: (ms, fn) => {
      const timer = setTimeout(fn, ms)
      return { cancel: () => clearTimeout(timer) }
    },
    onTrouble(trouble) {
      if ('error' in trouble) log('error', 'what hosts log cannot be written down; trying again with the next', { file: path, ...trouble })
      else log('warn', 'what hosts log is written down again', { file: path, ...trouble })
    },
  })
  /** Host → which entry of which life of its agent comes next. */
  const next = new Map<string, { readonly epoch: string; readonly number: number }>()
  let writing: Promise<void> = Promise.resolve()

  /** Without what is there already: a reply may have been lost. */
  function unheard({ host, epoch }: Report, { first, entries }: LogBatch): readonly LogEntry[] {
    const before = next.get(host)
    const heard = before?.epoch === epoch ? Math.max(0, before.number - first) : 0
    next.set(host, { epoch, number: Math.max(first + entries.length, heard + first) })
    return entries.slice(heard)
  }

  async function write({ host, revision }: Report, entries: readonly LogEntry[], lost: number): Promise<void> {
    for (const entry of entries) {
      const found = isPacket(entry) ? await origin(entry, revision).catch(() => ({})) : {}
      file.add(JSON.stringify({ ...entry, host, revision, ...found } satisfies LogLine))
    }
    const time = entries[0]?.time ?? new Date().toISOString()
    if (lost > 0) file.add(JSON.stringify({ time, host, revision, lost } satisfies LogLine))
  }

  return {
    take(report) {
      const { log: batch } = report
      if (batch === undefined) return
      const entries = unheard(report, batch)
      if (entries.length === 0) return
      writing = writing.then(() => write(report, entries, batch.lost ?? 0))
    },
    async close() {
      await writing
      await file.close()
    },
  }
}
