import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Unixctl } from './unixctl.ts'

const CONTROL = /^ovs-vswitchd(?:\.\d+)?\.ctl$/

/**
 * vswitchd's control socket, where ovs-appctl finds it: `ovs-vswitchd.<pid>.ctl` beside the pid file; without that file, the only one that somebody listens on. The caller closes it. Rejects
 * when vswitchd does not run, or has its socket elsewhere (`--unixctl`).
 */
export async function connectVswitchd(rundir: string): Promise<Unixctl> {
  const pid = await readFile(join(rundir, 'ovs-vswitchd.pid'), 'utf8').catch(() => '')
  const names = pid === '' ? (await readdir(rundir)).filter((name) => CONTROL.test(name)) : [`ovs-vswitchd.${pid.trim()}.ctl`]
  for (const name of names) {
    const control = await Unixctl.connect(join(rundir, name)).catch(() => undefined)
    if (control !== undefined) return control
  }
  throw new Error(`no vswitchd listens on ${join(rundir, names[0] ?? 'ovs-vswitchd.<pid>.ctl')}`)
}
