import type { DriverOptions } from '../../backend.ts'
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
    const control = await connectVswitchd(rundir)
    try {
      if (keepsStaleFlows(releaseOf(await control.call('version')))) await control.call('revalidator/purge')
    } finally {
      control.close()
    }
  } catch (error) {
    log('warn', 'the datapath may keep old decisions while frames hit them: vswitchd could not be told to forget them', {
      error: error instanceof Error ? error.message : String(error),
    })
  }
}

/** `ovs-vswitchd (Open vSwitch) 3.1.0` */
function releaseOf(said: string): string {
  return /\d+\.\d+\.\d+/.exec(said)?.[0] ?? ''
}
