import type { WatchStatus } from './repo/watch.ts'
import type { ServerLog } from './server-log.ts'

/** A save or a commit is over sooner. */
const LONG_MS = 2000

/** Says once in the log that the repository has been left alone for a while, and why; and once that it is followed again. `at`: a clock that never goes back. */
export function createWaitTeller(log: ServerLog): (status: Pick<WatchStatus, 'phase' | 'why'>, at: number) => void {
  let since: number | undefined
  let told: string | undefined
  return ({ phase, why }, at) => {
    if (phase !== 'waiting') {
      if (told !== undefined) log('info', 'the repository is followed again')
      since = undefined
      told = undefined
      return
    }
    since ??= at
    if (why === undefined || why === told || at - since < LONG_MS) return
    told = why
    log('warn', 'the repository is left alone for now; the last good state serves', { why })
  }
}
