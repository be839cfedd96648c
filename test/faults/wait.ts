import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StatusAnswer } from '../../src/cli/status.ts'
import { hostStates } from '../../src/server/render/fleet.ts'

/** Long for a machine that does other work as well; a test that means a shorter time says so itself. */
export const PATIENCE_MS: number = 30_000

/** Polls; resolves to the milliseconds it took. */
export async function until(what: string, holds: () => Promise<boolean>, timeoutMs: number = PATIENCE_MS): Promise<number> {
  const began = performance.now()
  while (!(await holds())) {
    if (performance.now() - began > timeoutMs) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`)
    await sleep(20)
  }
  return Math.round(performance.now() - began)
}

/** Ends a process that the rig started, and waits until it is gone. */
export async function end(pid: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (pid === 0) return
  try {
    process.kill(pid, signal)
  } catch {
    return
  }
  await until(`process ${pid} ends`, async () => (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')) === '')
}

/** What a server said, in the few lines that explain why something did not come to pass. */
export function describe(answer: StatusAnswer | undefined): string {
  if (answer === undefined) return 'the server does not answer'
  const states = hostStates({ ...answer.fleet, targets: new Map(answer.fleet.targets) })
  return [
    `revision ${answer.fleet.revision}, repository ${answer.repo} ${JSON.stringify(answer.issues)}`,
    ...states.map((s) => `${s.host} ${s.sync} ${s.health} ${s.notes.join('; ')}`),
    ...answer.fleet.status
      .filter((s) => s.state !== 'ACTIVE')
      .slice(0, 8)
      .map((s) => `${s.host} ${s.key} ${s.state} ${s.cause ?? ''}`),
    ...answer.fleet.drift.slice(0, 5).map((d) => `${d.host} drift ${JSON.stringify(d)}`),
  ].join('\n')
}
