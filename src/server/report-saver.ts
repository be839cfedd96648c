import type { Report } from '../wire/messages.ts'
import type { HostRecord } from './fleet.ts'
import type { ServerLog } from './server-log.ts'
import type { Store } from './store/types.ts'

const REPORT_FLUSH_MS = 200

export interface ReportSaver {
  note(report: Report): void
  flush(): Promise<void>
}

/** Writes what was reported, a moment later and together: three hundred agents must not make three hundred transactions a second. */
export function createSaver(store: Store, records: ReadonlyMap<string, HostRecord>, log: ServerLog): ReportSaver {
  let waiting: Report[] = []
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  async function write(): Promise<void> {
    const reports = waiting
    waiting = []
    timer = undefined
    try {
      for (const report of reports) {
        if (report.objects.length + report.gone.length > 0) await store.saveStatus(report.host, report.objects, report.gone)
        if (report.drift !== undefined) await store.saveDrift(report.host, report.drift)
      }
      for (const host of new Set(reports.map((r) => r.host))) {
        const record = records.get(host)
        if (record !== undefined) await store.saveAgent(record.agent)
      }
    } catch (error) {
      log('error', 'reports could not be saved', { error: String(error) })
    }
  }

  const flush = (): Promise<void> => (running = running.then(write))
  return {
    note(report) {
      waiting.push(report)
      timer ??= setTimeout(() => void flush(), REPORT_FLUSH_MS)
    },
    async flush() {
      clearTimeout(timer)
      await flush()
    },
  }
}
