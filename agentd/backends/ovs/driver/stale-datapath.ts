import { setTimeout as sleep } from 'node:timers/promises'
import type { DriverOptions } from '../../backend.ts'
import type { Unixctl } from './unixctl.ts'
import { connectVswitchd } from './vswitchd.ts'

/**
 * Releases whose userspace datapath may keep what it did with a frame although the flows say otherwise by now: where two of its cached flows overlap, a change is written into the
 * wrong one, and the other goes on dropping (or delivering) for as long as frames keep it alive. Mended in 2.17.8, 3.0.5, 3.1.3 and 3.2.0 ("dpif-netdev: Fix dpif_netdev_flow_put"); Debian 12 has 3.1.0.
 */
export function keepsStaleFlows(version: string): boolean {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []
  if (major === undefined) return false
  const release = Number(major) * 1000 + Number(minor)
  const mended = MENDED.get(release)
  return mended === undefined ? release < OLDEST_MENDED : Number(patch) < mended
}

const OLDEST_MENDED = 2017
/** Release (major × 1000 + minor) → first patch level that is right. */
const MENDED: ReadonlyMap<number, number> = new Map([
  [2017, 8],
  [3000, 5],
  [3001, 3],
])

/**
 * Has vswitchd forget what its userspace datapath caches, where its release keeps stale decisions; every next frame is looked up anew. Frames are delayed by that, none is lost. vswitchd
 * is asked for its release: the database says it only where a start script wrote it there.
 */
export async function forgetStale(rundir: string, log: DriverOptions['log']): Promise<void> {
  try {
    await withVswitchd(rundir, forget)
  } catch (error) {
    log('warn', 'the datapath may keep old decisions while frames hit them: vswitchd could not be told to forget them', {
      error: error instanceof Error ? error.message : String(error),
    })
  }
}

/** Milliseconds after which revalidators have looked at every cached flow twice (`other_config:max-revalidator` is 500). */
const TWO_ROUNDS_MS = 1000

/**
 * Resolves when no frame is handled by what the datapath cached before the flows that stand now. A round of the revalidators that was under way may have looked at some before: only the end of
 * the next one says it.
 */
export async function datapathFollows(rundir: string, datapath: string): Promise<void> {
  try {
    await withVswitchd(rundir, async (control) => {
      if (datapath === 'netdev' && (await forget(control))) return
      for (let round = 0; round < 2; round++) await control.call('revalidator/wait')
    })
  } catch {
    // It does not wait where there are datapaths of two types.
    await sleep(TWO_ROUNDS_MS)
  }
}

/** True where that was needed. */
async function forget(control: Unixctl): Promise<boolean> {
  const stale = keepsStaleFlows(releaseOf(await control.call('version')))
  if (stale) await control.call('revalidator/purge')
  return stale
}

async function withVswitchd<T>(rundir: string, work: (control: Unixctl) => Promise<T>): Promise<T> {
  const control = await connectVswitchd(rundir)
  try {
    return await work(control)
  } finally {
    control.close()
  }
}

/** `ovs-vswitchd (Open vSwitch) 3.1.0` */
function releaseOf(said: string): string {
  return /\d+\.\d+\.\d+/.exec(said)?.[0] ?? ''
}
