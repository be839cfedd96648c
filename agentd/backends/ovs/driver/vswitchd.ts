import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Unixctl } from './unixctl.ts'

/** vswitchd's control socket; the caller closes it. Rejects when vswitchd does not run. */
export async function connectVswitchd(rundir: string): Promise<Unixctl> {
  const pid = (await readFile(join(rundir, 'ovs-vswitchd.pid'), 'utf8')).trim()
  return await Unixctl.connect(join(rundir, `ovs-vswitchd.${pid}.ctl`))
}
