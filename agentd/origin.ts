import { readFile, realpath, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Origin } from '../src/wire/messages.ts'

/**
 * Where this agent runs. `place` is the same for two lives of an agent only if one followed the other: the state directory (by device and inode, so that two containers do not
 * share one) on this boot of this machine (machine ids and state directories are cloned with disk images, boot ids are not). Undefined where /proc is missing.
 */
export async function originOf(stateDir: string): Promise<Origin | undefined> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  if (boot === '') return undefined
  const { dev, ino } = await stat(stateDir)
  return { place: `${boot.trim()}/${dev}:${ino}`, name: `${hostname()} (process ${process.pid}, ${await realpath(stateDir)})` }
}
