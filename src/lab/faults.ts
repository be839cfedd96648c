import { setTimeout as sleep } from 'node:timers/promises'
import { type Daemon, daemonPid as pidIn } from './daemons.ts'
import { restartVswitchd } from './host.ts'
import { findHost, type Lab } from './lab.ts'
import { hostDir, wireNetns } from './names.ts'
import { run, runScript } from './run.ts'
import { UNDERLAY_BRIDGE } from './spec.ts'
import { cablesOf } from './wire.ts'

/** The pid of a host's ovs-vswitchd or ovsdb-server; undefined when it does not run. */
export async function daemonPid(lab: Lab, host: string, daemon: Daemon): Promise<number | undefined> {
  return await pidIn(hostDir(lab.tag, findHost(lab, host).name), daemon)
}

/** Ends a host's vswitchd (SIGKILL: it crashed; SIGTERM: it was stopped) and waits until it is gone. Its database is still served. */
export async function stopVswitchd(lab: Lab, host: string, signal: 'SIGKILL' | 'SIGTERM' = 'SIGTERM'): Promise<void> {
  const pid = await daemonPid(lab, host, 'ovs-vswitchd')
  if (pid === undefined) return
  process.kill(pid, signal)
  while ((await daemonPid(lab, host, 'ovs-vswitchd')) === pid) await sleep(5)
}

/** Starts it again. Resolves when it has made the bridges. */
export async function startVswitchd(lab: Lab, host: string): Promise<void> {
  await runScript(lab.tag, restartVswitchd(lab.tag, findHost(lab, host).name))
}

/** Pulls a host's cables (underlay and provider networks), as a switch that loses power does; or puts them back. Its agent can still be spoken to. */
export async function setCables(lab: Lab, host: string, state: 'up' | 'down'): Promise<void> {
  const cables = cablesOf(lab.spec, findHost(lab, host), UNDERLAY_BRIDGE)
  for (const cable of cables) await run(['ip', '-n', wireNetns(lab.tag), 'link', 'set', cable.wireEnd, state])
}
