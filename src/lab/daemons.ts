import { readFile } from 'node:fs/promises'
import { quote } from './run.ts'

/** A private ovsdb-server and ovs-vswitchd: own folder, own database, own namespace. The system's own Open vSwitch is never touched. */
export interface DaemonSet {
  /** Absolute; holds database, sockets, pid files and logs. Made if it is missing. */
  readonly dir: string
  readonly netns: string
  readonly systemId: string
  /** Bridges that exist from the first moment on. */
  readonly bridges: readonly DaemonBridge[]
}

export interface DaemonBridge {
  readonly name: string
  readonly fail_mode: 'standalone' | 'secure'
  readonly ports: readonly string[]
}

export type Daemon = 'ovsdb-server' | 'ovs-vswitchd'

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'

/** Shell words that need the folder only. */
export const DAEMONS = {
  vsctl: (dir: string): string => `ovs-vsctl --timeout=20 --db=unix:${dir}/db.sock`,
  db: (dir: string): string => `unix:${dir}/db.sock`,
  pidFile: (dir: string, daemon: Daemon): string => `${dir}/${daemon}.pid`,
}

/** The environment in which the `ovs-*` tools find this set of daemons and no other. */
export function daemonEnv(dir: string): Record<string, string> {
  return { OVS_RUNDIR: dir, OVS_DBDIR: dir, OVS_LOGDIR: dir }
}

/**
 * Starts both daemons; when the script ends, vswitchd has made the bridges. They are written to the database before vswitchd starts, so that
 * one reconfiguration does it all (a host is up in 0.2 s).
 */
export function startDaemons(set: DaemonSet): string[] {
  const init = ['init', '--', 'set', 'Open_vSwitch', '.', `external_ids:system-id=${set.systemId}`, ...SMALL]
  for (const bridge of set.bridges) init.push(...bridgeWords(bridge))
  return [
    `mkdir -p ${set.dir}`,
    ...exportEnv(set.dir),
    `ovsdb-tool create ${set.dir}/conf.db ${SCHEMA}`,
    `ip netns exec ${set.netns} ovsdb-server ${set.dir}/conf.db --remote=punix:${set.dir}/db.sock ` +
      `--remote=db:Open_vSwitch,Open_vSwitch,manager_options ${common(set.dir, 'ovsdb-server')}`,
    `${DAEMONS.vsctl(set.dir)} --no-wait ${init.map(quote).join(' ')}`,
    ...startVswitchd(set.dir, set.netns),
  ]
}

/** Starts vswitchd on a database that is being served. */
export function startVswitchd(dir: string, netns: string): string[] {
  return [...exportEnv(dir), `ip netns exec ${netns} ovs-vswitchd ${DAEMONS.db(dir)} ${common(dir, 'ovs-vswitchd')}`]
}

/** The pid of the daemon whose folder this is; undefined when it does not run. */
export async function daemonPid(dir: string, daemon: Daemon): Promise<number | undefined> {
  const text = await readFile(DAEMONS.pidFile(dir, daemon), 'utf8').catch(() => '')
  const pid = Number(text.trim())
  if (!(pid > 0)) return undefined
  // A pid file outlives a killed daemon, and its pid may by now be someone else's; a zombie is a daemon whose end nobody has asked for yet.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.includes(`(${daemon}) `) && !stat.includes(`(${daemon}) Z`) ? pid : undefined
}

/** One handler and one revalidator: a lab has many switches on few cores. */
const SMALL = ['other_config:n-handler-threads=1', 'other_config:n-revalidator-threads=1']

function bridgeWords(bridge: DaemonBridge): string[] {
  const words = ['--', 'add-br', bridge.name, '--', 'set', 'Bridge', bridge.name, 'datapath_type=netdev', `fail_mode=${bridge.fail_mode}`]
  for (const port of bridge.ports) words.push('--', 'add-port', bridge.name, port)
  return words
}

function exportEnv(dir: string): string[] {
  return Object.entries(daemonEnv(dir)).map(([name, value]) => `export ${name}=${value}`)
}

function common(dir: string, daemon: Daemon): string {
  const files = `--pidfile=${DAEMONS.pidFile(dir, daemon)} --log-file=${dir}/${daemon}.log`
  return `${files} --detach --no-chdir -vconsole:off -vsyslog:off`
}
